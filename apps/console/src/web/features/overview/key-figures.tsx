import type { Overview, Pipeline } from '@tidemark/contracts';
import { ShieldAlert, ShieldCheck, Timer, TriangleAlert, Undo2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { formatCount, formatSeconds, plural } from '../../shared/format.ts';
import { type Books, booksOfAll } from './books.ts';
import './key-figures.css';
import type { Sample } from './samples.ts';
import { Sparkline } from './sparkline.tsx';

interface KeyFiguresProps {
  readonly overview: Overview;
  readonly pipelines: readonly Pipeline[] | undefined;
  readonly samples: readonly Sample[];
}

export function KeyFigures({ overview, pipelines, samples }: KeyFiguresProps) {
  return (
    <section className="figures" aria-label="Key figures">
      <Unaccounted count={overview.unaccounted} books={pipelines && booksOfAll(pipelines)} />
      <FreshnessFigure freshness={overview.freshness} samples={samples} />
      <DeadLetters count={overview.deadLetters} />
    </section>
  );
}

function Unaccounted({ count, books }: { readonly count: number; readonly books: Books | undefined }) {
  const balanced = count === 0;
  return (
    <article className={`figure figure-wide ${balanced ? 'figure-proud' : 'figure-alarm'}`}>
      <FigureHead
        icon={balanced ? <ShieldCheck size={18} /> : <ShieldAlert size={18} />}
        title="Unaccounted events"
      />
      <div className="figure-main">
        <strong className="figure-value">{formatCount(count)}</strong>
        <p>
          {balanced ? (
            <>
              <b>The books balance.</b> Every event read has an outcome.
            </>
          ) : (
            <>
              <b>The books do not balance.</b> The pipeline whose ledger does not add up is the one to look
              at.
            </>
          )}
        </p>
      </div>
      {books && <Equation books={books} />}
    </article>
  );
}

function Equation({ books }: { readonly books: Books }) {
  return (
    <dl className="equation">
      <Term name="read" value={books.read} />
      <Term sign="=" name="delivered" value={books.delivered} />
      <Term sign="+" name={books.duplicate === 1 ? 'duplicate' : 'duplicates'} value={books.duplicate} />
      <Term sign="+" name="filtered" value={books.filtered} />
      <Term sign="+" name="dead-lettered" value={books.deadLettered} />
      <Term sign="+" name="in flight" value={books.inFlight} />
    </dl>
  );
}

function Term({
  sign,
  name,
  value,
}: {
  readonly sign?: string;
  readonly name: string;
  readonly value: number;
}) {
  return (
    <div data-sign={sign}>
      <dt>{name}</dt>
      <dd>{formatCount(value)}</dd>
    </div>
  );
}

function FreshnessFigure({
  freshness,
  samples,
}: {
  readonly freshness: Overview['freshness'];
  readonly samples: readonly Sample[];
}) {
  return (
    <article className="figure">
      <FigureHead icon={<Timer size={18} />} title="Freshness" />
      <div className="figure-pair">
        <p>
          <strong className="figure-value">{formatSeconds(freshness.p50Seconds)}</strong>
          <span>median</span>
        </p>
        <p>
          <strong className="figure-value">{formatSeconds(freshness.p99Seconds)}</strong>
          <span>99th percentile</span>
        </p>
      </div>
      <Sparkline values={samples.map(sample => sample.p99Seconds)} />
      <p className="figure-foot">
        {freshness.changes === 0
          ? 'No change was stored in the last five minutes.'
          : `Commit to stored, over ${plural(freshness.changes, 'change')} in five minutes.`}
      </p>
    </article>
  );
}

function DeadLetters({ count }: { readonly count: number }) {
  return (
    <article className={count === 0 ? 'figure' : 'figure figure-attention'}>
      <FigureHead
        icon={count === 0 ? <Undo2 size={18} /> : <TriangleAlert size={18} />}
        title="Dead letters"
      />
      <strong className="figure-value">{formatCount(count)}</strong>
      <p className="figure-foot">
        {count === 0
          ? 'No event was set aside.'
          : `${count === 1 ? 'This event' : 'These events'} could not be processed and wait on events.dlq. Nothing is lost.`}
      </p>
    </article>
  );
}

function FigureHead({ icon, title }: { readonly icon: ReactNode; readonly title: string }) {
  return (
    <header>
      <span aria-hidden="true">{icon}</span>
      <h2>{title}</h2>
    </header>
  );
}
