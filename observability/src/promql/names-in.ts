/** Words of PromQL that are no series, and are not called like functions. */
const words = new Set([
  'and',
  'or',
  'unless',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'bool',
  'offset',
  'inf',
  'nan',
]);
/** An aggregation is a call although its brackets come after the labels. */
const aggregates = new Set(['by', 'without']);
const token = /"(?:[^"\\]|\\.)*"|\{|\}|\[[^\]]*\]|\d[\w.]*|[a-zA-Z_:][\w:]*|\$\w+|\S/g;
const listsLabels = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

/** Names of the time series that a PromQL expression reads, in order, each once. */
export function seriesIn(expr: string): readonly string[] {
  const tokens = [...expr.matchAll(token)].map(([text]) => text);
  const names = new Set<string>();
  let skippingTo: string | undefined;
  for (const [index, text] of tokens.entries()) {
    if (skippingTo !== undefined) {
      if (text === skippingTo) skippingTo = undefined;
      continue;
    }
    const next = tokens[index + 1];
    if (text === '{') skippingTo = '}';
    else if (listsLabels.has(text) && next === '(') skippingTo = ')';
    else if (
      /^[a-zA-Z_:]/.test(text) &&
      next !== '(' &&
      !words.has(text.toLowerCase()) &&
      !aggregates.has(next ?? '')
    )
      names.add(text);
  }
  return [...names];
}

/** The metric to which a series belongs: histograms have three. */
export function metricOf(name: string, known: (metric: string) => boolean): string | undefined {
  if (known(name)) return name;
  const base = name.replace(/_(?:bucket|sum|count)$/, '');
  return base !== name && known(base) ? base : undefined;
}
