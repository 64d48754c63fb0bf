interface Box {
  readonly width: number;
  readonly height: number;
  /** The newest point lies at the right edge; so many of them reach the left one. */
  readonly span: number;
}

/** SVG path data of a line and of the area under it, from zero at the foot; unknown values leave a gap. */
export function sparklinePath(
  values: readonly (number | null)[],
  box: Box,
): { readonly stroke: string; readonly area: string } {
  const top = Math.max(1e-9, ...values.map(value => value ?? 0));
  const step = box.width / (box.span - 1);
  const startX = box.width - (values.length - 1) * step;
  const points = values.map((value, index) =>
    value === null
      ? undefined
      : { x: round(startX + index * step), y: round(box.height - 1.5 - (value / top) * (box.height - 4)) },
  );
  const runs = splitRuns(points).filter(run => run.length > 1);
  return {
    stroke: runs.map(run => `M${run.map(point => `${point.x} ${point.y}`).join('L')}`).join(''),
    area: runs
      .map(run => {
        const line = run.map(point => `${point.x} ${point.y}`).join('L');
        return `M${run[0]?.x ?? 0} ${box.height}L${line}L${run.at(-1)?.x ?? 0} ${box.height}Z`;
      })
      .join(''),
  };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function splitRuns(points: readonly (Point | undefined)[]): readonly (readonly Point[])[] {
  const runs: Point[][] = [[]];
  for (const point of points) {
    if (point) runs.at(-1)?.push(point);
    else runs.push([]);
  }
  return runs;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
