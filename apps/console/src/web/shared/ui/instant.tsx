import { usePreferences } from '../preferences.ts';
import { formatAgo, formatClock, formatInstant } from '../time.ts';
import { useNow } from '../use-now.ts';

interface InstantProps {
  readonly at: string;
  /** `ago`: relative. `clock`: time of day with milliseconds. `full`: date and time. */
  readonly as?: 'ago' | 'clock' | 'full';
}

/** An instant in the chosen zone; the others forms are in its title. */
export function Instant({ at, as = 'ago' }: InstantProps) {
  const { zone } = usePreferences();
  const full = formatInstant(at, zone);
  if (as === 'ago') return <Ago at={at} title={full} />;
  return (
    <time dateTime={at} title={full} className="nowrap">
      {as === 'clock' ? formatClock(at, zone) : full}
    </time>
  );
}

function Ago({ at, title }: { readonly at: string; readonly title: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={at} title={title} className="nowrap">
      {formatAgo(at, nowMs)}
    </time>
  );
}
