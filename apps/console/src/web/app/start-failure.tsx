import { useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { Failure } from '../shared/ui/failure.tsx';
import { Wordmark } from '../shared/ui/logo.tsx';

/** How often the page looks by itself whether the api is back. */
const retryMs = 3000;

/** Shown instead of everything when not even "who is signed in" can be asked. */
export function StartFailure({ error }: { readonly error: unknown }) {
  const router = useRouter();
  useEffect(() => {
    const timer = setInterval(() => void router.invalidate(), retryMs);
    return () => clearInterval(timer);
  }, [router]);
  return (
    <main className="lone">
      <Wordmark />
      <Failure what="The console cannot start" error={error} onRetry={() => void router.invalidate()} />
      <p className="muted">It goes on by itself as soon as the api answers.</p>
    </main>
  );
}
