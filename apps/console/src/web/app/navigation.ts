import { Activity, GitCompareArrows, MessageSquareText, Users } from 'lucide-react';

/** The pages, in the order of the navigation, with their shortcuts. */
export const pages = [
  { to: '/', label: 'Overview', Icon: Activity, keys: 'g o' },
  { to: '/changes', label: 'Changes', Icon: GitCompareArrows, keys: 'g c' },
  { to: '/reviews', label: 'Reviews', Icon: MessageSquareText, keys: 'g r' },
  { to: '/users', label: 'Users', Icon: Users, keys: 'g u' },
] as const;
