import { CloudOff, LockKeyhole, RotateCw } from 'lucide-react';
import { ApiError, explain } from '../api-error.ts';
import { Button } from './button.tsx';
import { Notice } from './page.tsx';

interface FailureProps {
  /** What could not be had, as in "The users could not be loaded". */
  readonly what: string;
  readonly error: unknown;
  readonly onRetry: () => void;
  readonly retrying?: boolean;
}

/** A page or panel that could not be loaded: why, what to do, and another try. */
export function Failure({ what, error, onRetry, retrying = false }: FailureProps) {
  const { message, hint } = explain(error);
  const forbidden = error instanceof ApiError && error.status === 403;
  return (
    <div role="alert">
      <Notice
        tone="bad"
        icon={forbidden ? <LockKeyhole size={22} /> : <CloudOff size={22} />}
        title={what}
        actions={
          <Button icon={<RotateCw size={15} />} busy={retrying} onClick={onRetry}>
            Try again
          </Button>
        }
      >
        <p>{message}</p>
        {hint !== undefined && <p className="muted">{hint}</p>}
      </Notice>
    </div>
  );
}

/** A line above content that is shown although its last refresh failed. */
export function StaleBanner({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  return (
    <output className="banner banner-bad">
      <CloudOff size={16} aria-hidden="true" />
      <span>
        <strong>Not up to date.</strong> {explain(error).message}
      </span>
      <Button size="sm" onClick={onRetry}>
        Try again
      </Button>
    </output>
  );
}
