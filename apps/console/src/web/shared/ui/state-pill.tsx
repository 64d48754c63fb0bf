import { CircleCheck, CircleDashed, CirclePause, CircleX, Hourglass, TriangleAlert } from 'lucide-react';

type Tone = 'ok' | 'warn' | 'bad' | 'neutral';

interface Look {
  readonly tone: Tone;
  readonly word: string;
  readonly Icon: typeof CircleCheck;
}

/** Every state that a station or a pipeline can be in: never by colour alone. */
const looks: Readonly<Record<string, Look>> = {
  ok: { tone: 'ok', word: 'OK', Icon: CircleCheck },
  running: { tone: 'ok', word: 'Running', Icon: CircleCheck },
  degraded: { tone: 'warn', word: 'Degraded', Icon: TriangleAlert },
  waiting: { tone: 'warn', word: 'Waiting', Icon: Hourglass },
  paused: { tone: 'warn', word: 'Paused', Icon: CirclePause },
  down: { tone: 'bad', word: 'Down', Icon: CircleX },
  stopped: { tone: 'bad', word: 'Stopped', Icon: CircleX },
  unknown: { tone: 'neutral', word: 'Unknown', Icon: CircleDashed },
};

export function StatePill({ state }: { readonly state: string }) {
  const { tone, word, Icon } = looks[state] ?? { tone: 'neutral' as const, word: state, Icon: CircleDashed };
  return (
    <span className={`pill pill-${tone}`}>
      <Icon size={13} strokeWidth={2.4} aria-hidden="true" />
      {word}
    </span>
  );
}
