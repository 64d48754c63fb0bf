import type { Role } from '@tidemark/contracts';

/** Who may use a route: anybody, or signed-in users from this role upwards. */
export type Access = 'public' | Role;

const ranks: Readonly<Record<Role, number>> = { viewer: 1, operator: 2, admin: 3 };

/** Each role may do what the ones below it may. */
export function mayUse(role: Role, needed: Role): boolean {
  return ranks[role] >= ranks[needed];
}
