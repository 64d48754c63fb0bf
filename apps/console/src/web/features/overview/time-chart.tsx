import { useCallback, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useDarkTheme, usePreferences } from '../../shared/preferences.ts';
import type { Zone } from '../../shared/time.ts';
import { type ChartLine, chartHeightPx, chartOptions, type ValueFormat } from './chart-options.ts';

interface TimeChartProps {
  readonly title: string;
  readonly unit: string;
  /** A constant: a new array builds a new chart. */
  readonly lines: readonly ChartLine[];
  /** Seconds since the Unix epoch, ascending, and one array of values for each line. */
  readonly data: readonly [readonly number[], ...(readonly (number | null)[])[]];
  readonly format: ValueFormat;
}

/** A time series on a canvas, with the newest figures as text beside the title. */
export default function TimeChart({ title, unit, lines, data, format }: TimeChartProps) {
  const canvas = useChart(lines, data, format);
  return (
    <figure className="chart">
      <figcaption>
        <span className="chart-title">
          {title} <span className="muted">{unit}</span>
        </span>
        <span className="chart-legend">
          {lines.map((line, index) => (
            <span key={line.label}>
              <i style={{ background: `var(${line.color})` }} aria-hidden="true" />
              {line.label} <b>{format(lastKnown(data[index + 1]))}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={canvas} className="chart-canvas" aria-hidden="true" />
    </figure>
  );
}

function lastKnown(values: readonly (number | null)[] = []): number | null {
  return values.findLast(value => value !== null) ?? null;
}

/** A ref for the element that holds the chart; the chart is built anew for another theme or zone. */
function useChart(lines: readonly ChartLine[], data: TimeChartProps['data'], format: ValueFormat) {
  const dark = useDarkTheme();
  const { zone } = usePreferences();
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(data);
  useEffect(() => {
    latest.current = data;
    plot.current?.setData(copyOf(data));
  }, [data]);
  return useCallback(
    (element: HTMLDivElement | null) => {
      if (!element) return undefined;
      const created = build(element, { lines, format, zone, dark });
      created.setData(copyOf(latest.current));
      plot.current = created;
      const observer = new ResizeObserver(() => {
        created.setSize({ width: element.clientWidth, height: chartHeightPx });
      });
      observer.observe(element);
      return () => {
        observer.disconnect();
        created.destroy();
      };
    },
    [lines, format, zone, dark],
  );
}

function build(
  element: HTMLElement,
  look: {
    readonly lines: readonly ChartLine[];
    readonly format: ValueFormat;
    readonly zone: Zone;
    readonly dark: boolean;
  },
): uPlot {
  const empty = [[], ...look.lines.map(() => [])] as unknown as uPlot.AlignedData;
  return new uPlot(chartOptions(element, look), empty, element);
}

function copyOf(data: TimeChartProps['data']): uPlot.AlignedData {
  return data.map(column => [...column]) as uPlot.AlignedData;
}
