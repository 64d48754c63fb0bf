import './sparkline.css';
import { sparklinePath } from './sparkline-path.ts';

const width = 96;
const height = 28;
/** Two minutes; more would not be legible at this size. Fewer than half a minute would look like an event. */
const pointsMax = 60;
const pointsMin = 15;

/** A hint of the recent past; the charts below carry the figures. */
export function Sparkline({ values }: { readonly values: readonly (number | null)[] }) {
  const recent = values.slice(-pointsMax);
  const span = Math.max(pointsMin, recent.length);
  const line = sparklinePath(recent, { width, height, span });
  return (
    <svg
      className="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {line.area !== '' && <path d={line.area} className="sparkline-area" />}
      {line.stroke !== '' && <path d={line.stroke} className="sparkline-stroke" />}
    </svg>
  );
}
