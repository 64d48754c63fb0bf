import type { Station } from '@tidemark/contracts';
import { Archive, Cable, Database, Layers, Workflow } from 'lucide-react';
import type { CSSProperties } from 'react';
import { formatCompact, formatLag, formatRate } from '../../shared/format.ts';
import { StatePill } from '../../shared/ui/state-pill.tsx';
import './flow-map.css';
import { particleCount, travelSeconds } from './flow-motion.ts';
import type { Sample } from './samples.ts';
import { Sparkline } from './sparkline.tsx';

const icons = {
  database: Database,
  capture: Cable,
  broker: Layers,
  consumer: Workflow,
  store: Archive,
} as const satisfies Record<Station['id'], typeof Database>;

interface FlowMapProps {
  readonly stations: readonly Station[];
  readonly samples: readonly Sample[];
}

/** The five stations on one line. What moves between them moves as fast as the changes do. */
export function FlowMap({ stations, samples }: FlowMapProps) {
  return (
    <section className="panel flow" aria-labelledby="flow-title">
      <div className="panel-head">
        <h2 id="flow-title">The way of a change</h2>
        <p className="muted">Rate and lag at each station</p>
      </div>
      <ol className="flow-line">
        {stations.map((station, index) => (
          <li key={station.id} className={`flow-stop flow-${station.state}`}>
            <StationCard station={station} samples={samples} />
            {index < stations.length - 1 && <Stretch from={station} to={stations[index + 1]} />}
          </li>
        ))}
      </ol>
      <FlowWave />
    </section>
  );
}

function StationCard({
  station,
  samples,
}: {
  readonly station: Station;
  readonly samples: readonly Sample[];
}) {
  const Icon = icons[station.id];
  const rates = samples.map(sample => sample.rates[station.id] ?? null);
  return (
    <article className="station" aria-label={station.label}>
      <header>
        <span className="station-icon" aria-hidden="true">
          <Icon size={19} strokeWidth={1.9} />
        </span>
        <StatePill state={station.state} />
      </header>
      <h3>{station.label}</h3>
      <p className="station-rate">
        <strong>{formatRate(station.ratePerSec)}</strong>
        <span className="muted"> /s</span>
      </p>
      <Sparkline values={rates} />
      <dl>
        <div>
          <dt>Lag</dt>
          <dd>{formatLag(station.lag)}</dd>
        </div>
        <div>
          <dt>Total</dt>
          <dd>{formatCompact(station.total)}</dd>
        </div>
      </dl>
      <p className="station-detail">{station.detail}</p>
    </article>
  );
}

/** The line between two stations. It stands still where nothing flows and is broken where nothing can. */
function Stretch({ from, to }: { readonly from: Station; readonly to: Station | undefined }) {
  const broken = from.state === 'down' || to?.state === 'down';
  const count = broken ? 0 : particleCount(from.ratePerSec);
  const duration = travelSeconds(from.ratePerSec);
  return (
    <span className={broken ? 'stretch stretch-broken' : 'stretch'} aria-hidden="true">
      {Array.from({ length: count }, (_, index) => (
        <i
          key={index}
          style={
            { '--travel': `${duration}s`, '--delay': `${(-duration * index) / count}s` } as CSSProperties
          }
        />
      ))}
    </span>
  );
}

/** The sea that the line runs over. */
function FlowWave() {
  return (
    <svg className="flow-wave" viewBox="0 0 1200 80" preserveAspectRatio="none" aria-hidden="true">
      <path d="M0 34 C 160 4, 280 4, 420 30 S 700 62, 860 34 S 1080 6, 1200 28 V 80 H 0 Z" />
      <path d="M0 52 C 180 26, 320 30, 480 50 S 780 74, 940 50 S 1120 32, 1200 46 V 80 H 0 Z" />
    </svg>
  );
}
