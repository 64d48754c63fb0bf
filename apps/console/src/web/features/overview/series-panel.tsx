import { ChartLine, Table2 } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { formatCount, formatRate, formatSeconds } from '../../shared/format.ts';
import { usePreferences } from '../../shared/preferences.ts';
import { formatClock } from '../../shared/time.ts';
import { Button } from '../../shared/ui/button.tsx';
import { ScrollRegion } from '../../shared/ui/scroll-region.tsx';
import './series.css';
import type { Sample } from './samples.ts';

const TimeChart = lazy(() => import('./time-chart.tsx'));

/** Two samples make a line. */
const samplesMin = 2;

/** The recent past as charts, or as a table for those who cannot or do not want to read charts. */
export function SeriesPanel({ samples }: { readonly samples: readonly Sample[] }) {
  const [asTable, setAsTable] = useState(false);
  return (
    <section className="panel" aria-labelledby="series-title">
      <div className="panel-head">
        <h2 id="series-title">Since this page was opened</h2>
        <Button
          size="sm"
          variant="ghost"
          icon={asTable ? <ChartLine size={15} /> : <Table2 size={15} />}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? 'Show charts' : 'Show as table'}
        </Button>
      </div>
      {asTable ? <SampleTable samples={samples} /> : <Charts samples={samples} />}
    </section>
  );
}

const throughputLines = [
  { label: 'captured', color: '--accent' },
  { label: 'stored', color: '--violet' },
] as const;
const lagLines = [{ label: 'lag', color: '--warn' }] as const;
const freshnessLines = [
  { label: 'p50', color: '--accent' },
  { label: 'p99', color: '--info' },
] as const;

function Charts({ samples }: { readonly samples: readonly Sample[] }) {
  if (samples.length < samplesMin)
    return <p className="chart-wait muted">The first samples are being taken…</p>;
  const times = samples.map(sample => sample.atSec);
  const column = (pick: (sample: Sample) => number | null | undefined) =>
    samples.map(sample => pick(sample) ?? null);
  return (
    <Suspense fallback={<p className="chart-wait muted">Loading the charts…</p>}>
      <div className="charts">
        <TimeChart
          title="Throughput"
          unit="changes per second"
          lines={throughputLines}
          data={[times, column(sample => sample.rates.capture), column(sample => sample.rates.store)]}
          format={formatRate}
        />
        <TimeChart
          title="Consumer lag"
          unit="events"
          lines={lagLines}
          data={[times, column(sample => sample.lagEvents)]}
          format={formatCount}
        />
        <TimeChart
          title="Freshness"
          unit="commit to stored"
          lines={freshnessLines}
          data={[times, column(sample => sample.p50Seconds), column(sample => sample.p99Seconds)]}
          format={formatSeconds}
        />
      </div>
    </Suspense>
  );
}

/** Rows of the table; the newest are the ones that matter. */
const rowsMax = 30;

function SampleTable({ samples }: { readonly samples: readonly Sample[] }) {
  const { zone } = usePreferences();
  return (
    <ScrollRegion label="Samples">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col" className="num">
              Captured /s
            </th>
            <th scope="col" className="num">
              Stored /s
            </th>
            <th scope="col" className="num">
              Lag, events
            </th>
            <th scope="col" className="num">
              p50
            </th>
            <th scope="col" className="num">
              p99
            </th>
          </tr>
        </thead>
        <tbody>
          {samples
            .slice(-rowsMax)
            .toReversed()
            .map(sample => (
              <tr key={sample.atSec}>
                <td className="mono">{formatClock(new Date(sample.atSec * 1000).toISOString(), zone)}</td>
                <td className="num">{formatRate(sample.rates.capture)}</td>
                <td className="num">{formatRate(sample.rates.store)}</td>
                <td className="num">{formatCount(sample.lagEvents)}</td>
                <td className="num">{formatSeconds(sample.p50Seconds)}</td>
                <td className="num">{formatSeconds(sample.p99Seconds)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}
