import type { QueryClient } from '@tanstack/react-query';
import { setCsrfToken, setSessionEndedHandler } from '../shared/api-client.ts';
import { sessionQuery } from '../shared/session.ts';
import type { AppRouter } from './router.tsx';

/** When the api no longer knows the session, asks to sign in again and remembers where the person was. */
export function endSessionOn401(client: QueryClient, router: AppRouter): void {
  setSessionEndedHandler(() => {
    if (client.getQueryData(sessionQuery.queryKey) === null) return;
    setCsrfToken(null);
    client.setQueryData(sessionQuery.queryKey, null);
    void router.navigate({
      to: '/sign-in',
      search: { next: router.state.location.href, expired: '1' },
      replace: true,
    });
  });
}
