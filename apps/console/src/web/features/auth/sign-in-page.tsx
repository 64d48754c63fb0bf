import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { defaultAccount } from '@tidemark/contracts/names';
import { ArrowRight, Clock, KeyRound } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { ApiError } from '../../shared/api-error.ts';
import { sessionQuery, signIn } from '../../shared/session.ts';
import { Button } from '../../shared/ui/button.tsx';
import { TextField } from '../../shared/ui/field.tsx';
import { FormError } from '../../shared/ui/form-error.tsx';
import { LogoMark } from '../../shared/ui/logo.tsx';
import { useTitle } from '../../shared/use-title.ts';
import { localPath } from './local-path.ts';
import './sign-in.css';
import { TideArt } from './tide-art.tsx';

export function SignInPage() {
  useTitle('Sign in');
  const search = useSearch({ strict: false });
  return (
    <main className="sign-in">
      <TideArt />
      <div className="sign-in-card">
        <div className="sign-in-brand">
          <LogoMark size={40} />
          <h1>Sign in to Tidemark</h1>
          <p>Every change on its way, and proof that none was lost.</p>
        </div>
        {search.expired !== undefined && (
          <output className="banner banner-info">
            <Clock size={16} aria-hidden="true" />
            <span>Your session has ended. Sign in to go on where you were.</span>
          </output>
        )}
        <SignInForm next={localPath(search.next)} />
        {isLoopback(location.hostname) && <DefaultAccountHint />}
      </div>
    </main>
  );
}

function SignInForm({ next }: { readonly next: string }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const form = useRef<HTMLFormElement>(null);
  const client = useQueryClient();
  const navigate = useNavigate();
  const attempt = useMutation({
    mutationFn: signIn,
    async onSuccess(me) {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, me);
      await navigate({ to: next, replace: true });
    },
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const waitSec = useCountdown(attempt.error);

  return (
    <form
      ref={form}
      className="form"
      onSubmit={event => {
        event.preventDefault();
        if (!attempt.isPending && waitSec === 0) attempt.mutate({ email: email.trim(), password });
      }}
    >
      <TextField
        label="Email"
        type="email"
        name="email"
        autoComplete="username"
        required
        value={email}
        onChange={event => setEmail(event.target.value)}
      />
      <TextField
        label="Password"
        type="password"
        name="password"
        autoComplete="current-password"
        required
        value={password}
        onChange={event => setPassword(event.target.value)}
      />
      {attempt.error !== null && <SignInError error={attempt.error} waitSec={waitSec} />}
      <Button type="submit" variant="primary" busy={attempt.isPending} disabled={waitSec > 0}>
        Sign in
        {!attempt.isPending && <ArrowRight size={16} aria-hidden="true" />}
      </Button>
    </form>
  );
}

function SignInError({ error, waitSec }: { readonly error: Error; readonly waitSec: number }) {
  if (!(error instanceof ApiError) || error.status !== 429) return <FormError error={error} />;
  const wait = waitSec > 0 ? `Try again in ${waitSec} s.` : 'You can try again now.';
  return <FormError error={new Error(`Too many attempts to sign in. ${wait}`)} />;
}

/** Seconds left until the api accepts another attempt. */
function useCountdown(error: unknown): number {
  const [leftSec, setLeftSec] = useState(0);
  useEffect(() => {
    const waitSec = error instanceof ApiError ? (error.retryAfterSec ?? 0) : 0;
    const untilMs = Date.now() + waitSec * 1000;
    const tick = () => setLeftSec(Math.max(0, Math.ceil((untilMs - Date.now()) / 1000)));
    tick();
    if (waitSec === 0) return undefined;
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [error]);
  return leftSec;
}

function DefaultAccountHint() {
  return (
    <p className="sign-in-hint">
      <KeyRound size={15} aria-hidden="true" />
      <span>
        On this machine only: <code>{defaultAccount.email}</code> with <code>{defaultAccount.password}</code>,
        unless you changed it.
      </span>
    </p>
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || host.startsWith('127.') || host.endsWith('.localhost');
}
