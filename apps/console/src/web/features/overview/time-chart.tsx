import { useEffect, useLayoutEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { unknownText } from '../../shared/format.ts';
import { useDarkTheme, usePreferences } from '../../shared/preferences.ts';

interface Series {
  readonly label: string;
  /** Name of a design token. */
  readonly color: string;
  readonly values: readonly (number | null)[];
}

interface TimeChartProps {
  readonly title: string;
  readonly unit: string;
  /** Seconds since the Unix epoch, ascending. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number | null | undefined) => string;
}

const heightPx = 168;
/** The time axis never shows less than this, so that the first samples are not stretched over the whole width. */
const spanMinSec = 120;

/** A time series on a canvas, with the newest figures as text beside the title. */
export default function TimeChart({ title, unit, times, series, format }: TimeChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const dark = useDarkTheme();
  const { zone } = usePreferences();
  const shape = series.map(each => `${each.label}:${each.color}`).join();

  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return undefined;
    const created = new uPlot(chartOptions(element, series, format, zone), [[]], element);
    plot.current = created;
    const observer = new ResizeObserver(() =>
      created.setSize({ width: element.clientWidth, height: heightPx }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
    };
    // The theme decides the colours that are read from the tokens; series are told apart by their shape.
  }, [dark, zone, shape, format]);

  useEffect(() => {
    plot.current?.setData([[...times], ...series.map(each => [...each.values])]);
  }, [times, series, dark, zone]);

  return (
    <figure className="chart">
      <figcaption>
        <span className="chart-title">
          {title} <span className="muted">{unit}</span>
        </span>
        <span className="chart-legend">
          {series.map(each => (
            <span key={each.label}>
              <i style={{ background: `var(${each.color})` }} aria-hidden="true" />
              {each.label} <b>{format(lastKnown(each.values))}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={host} className="chart-canvas" aria-hidden="true" />
    </figure>
  );
}

function lastKnown(values: readonly (number | null)[]): number | null {
  return values.findLast(value => value !== null) ?? null;
}

function chartOptions(
  element: HTMLElement,
  series: readonly Series[],
  format: TimeChartProps['format'],
  zone: 'local' | 'utc',
): uPlot.Options {
  const token = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const color = (name: string) => resolveColor(element, name);
  const axis = {
    stroke: color('--ink-3'),
    font: `11px ${token('--font-sans')}`,
    ticks: { show: false },
    grid: { stroke: color('--line'), width: 1 },
  };
  return {
    width: element.clientWidth,
    height: heightPx,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    ...(zone === 'utc' ? { tzDate: (atSec: number) => uPlot.tzDate(new Date(atSec * 1000), 'Etc/UTC') } : {}),
    scales: {
      x: { range: (_plot, min, max) => [Math.min(min, max - spanMinSec), max] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 70, size: 28 },
      {
        ...axis,
        size: 58,
        space: 34,
        values: (_plot, ticks) => ticks.map(tick => (tick === null ? unknownText : format(tick))),
      },
    ],
    series: [
      {},
      ...series.map(each => ({
        label: each.label,
        stroke: color(each.color),
        fill: withAlpha(color(each.color), 0.1),
        width: 1.75,
        points: { show: false },
      })),
    ],
  };
}

/** Tokens hold light-dark(); only a property in use tells the colour that applies. */
function resolveColor(element: HTMLElement, token: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${token})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function withAlpha(color: string, alpha: number): string {
  return color.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}
