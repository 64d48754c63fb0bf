import { Pause, Play, RotateCw } from 'lucide-react';
import type { StreamState } from '../../shared/event-stream.ts';
import { Button } from '../../shared/ui/button.tsx';

interface FeedMarkProps {
  readonly stream: StreamState | 'off';
  readonly paused: boolean;
  readonly onPausedChange: (paused: boolean) => void;
  readonly onRetry: () => void;
}

/** Whether new changes come in, and the switch that stops them. */
export function FeedMark({ stream, paused, onPausedChange, onRetry }: FeedMarkProps) {
  if (stream === 'off') return null;
  return (
    <>
      <output className="live-mark">
        <span
          className={stream === 'live' && !paused ? 'live-dot' : 'live-dot live-dot-off'}
          aria-hidden="true"
        />
        {paused && stream === 'live' ? 'Paused' : words[stream]}
      </output>
      {stream === 'failed' ? (
        <Button icon={<RotateCw size={15} />} onClick={onRetry}>
          Connect again
        </Button>
      ) : (
        <Button
          icon={paused ? <Play size={15} /> : <Pause size={15} />}
          aria-keyshortcuts="p"
          onClick={() => onPausedChange(!paused)}
        >
          {paused ? 'Resume' : 'Pause'}
        </Button>
      )}
    </>
  );
}

const words: Readonly<Record<StreamState, string>> = {
  connecting: 'Connecting…',
  live: 'Live',
  waiting: 'Reconnecting…',
  failed: 'Live feed refused',
};
