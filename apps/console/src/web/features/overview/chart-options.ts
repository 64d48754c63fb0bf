import uPlot from 'uplot';
import { unknownText } from '../../shared/format.ts';
import { formatClock, type Zone } from '../../shared/time.ts';

export interface ChartLine {
  readonly label: string;
  /** Name of the design token that holds its colour. */
  readonly color: string;
}

export type ValueFormat = (value: number | null | undefined) => string;

export const chartHeightPx = 168;

/** The time axis never shows less than this, so that the first samples are not stretched over the whole width. */
const spanMinSec = 60;

/** How a chart looks: the page's own colours and type, from zero, newest at the right edge. */
export function chartOptions(
  element: HTMLElement,
  look: {
    readonly lines: readonly ChartLine[];
    readonly format: ValueFormat;
    readonly zone: Zone;
    readonly dark: boolean;
  },
): uPlot.Options {
  const color = (token: string) => resolveColor(element, token);
  const axis: uPlot.Axis = {
    stroke: color('--ink-3'),
    font: `11px ${getComputedStyle(element).fontFamily}`,
    ticks: { show: false },
    grid: { stroke: color('--line'), width: 1 },
  };
  const clockTicks = (_plot: uPlot, ticks: readonly number[]) =>
    ticks.map(atSec => formatClock(new Date(atSec * 1000).toISOString(), look.zone).slice(0, 8));
  const values = (_plot: uPlot, ticks: readonly (number | null)[]) =>
    ticks.map(tick => (tick === null ? unknownText : look.format(tick)));
  return {
    width: element.clientWidth,
    height: chartHeightPx,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    ...(look.zone === 'utc' ? { tzDate: inUtc } : {}),
    scales: {
      x: { range: (_plot, min, max) => [Math.min(min, max - spanMinSec), max] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 84, size: 26, values: clockTicks },
      { ...axis, size: 58, space: 34, values },
    ],
    series: [{}, ...look.lines.map(line => seriesOf(line, color(line.color), look.dark))],
  };
}

function seriesOf(line: ChartLine, color: string, dark: boolean): uPlot.Series {
  return {
    label: line.label,
    stroke: color,
    fill: withAlpha(color, dark ? 0.14 : 0.09),
    width: 1.75,
    points: { show: false },
  };
}

function inUtc(atSec: number): Date {
  return uPlot.tzDate(new Date(atSec * 1000), 'Etc/UTC');
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
