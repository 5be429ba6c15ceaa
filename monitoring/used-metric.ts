import { metrics, PREFIX } from './metric.ts';

/** A metric as it stands in a query. */
export interface UsedMetric {
  readonly name: string;
  /** The function or aggregation that it is the first argument of; `''` for none. */
  readonly in: string;
  /** Its range, such as `5m`; `''` for none. */
  readonly range: string;
  /** Labels that it is selected by. */
  readonly labels: readonly string[];
}

const USE = new RegExp(`(?:(\\w+)\\s*\\()?\\b(${PREFIX}\\w+|up\\b)(?:\\{([^}]*)\\})?(?:\\[([^\\]]+)\\])?`, 'g');

/** All metrics of a query. */
export function usedMetrics(expr: string): readonly UsedMetric[] {
  return [...expr.matchAll(USE)].map(([, of = '', name = '', selector = '', range = '']) => ({
    ...{ name, in: of, range },
    labels: [...selector.matchAll(/(\w+)\s*[!=]/g)].map(([, label = '']) => label),
  }));
}

/** Labels that a scrape adds. */
const SCRAPED = ['job', 'instance', 'cache'];
const OF_COUNTERS = ['rate', 'increase'];
const OF_GAUGES = ['avg_over_time', 'last_over_time', 'max_over_time', 'min_over_time'];

/** What is wrong with the metrics of a query: names and labels that are not in the list, a rate of what is no counter and the like. */
export function wrongUses(expr: string): readonly string[] {
  const uses = usedMetrics(expr);
  const labels = new Set([...SCRAPED, 'le', ...uses.flatMap(({ name }) => metrics.get(base(name))?.labels ?? [])]);
  const grouped = [...expr.matchAll(/\b(?:by|on|without|group_left)\s*\(([^)]*)\)/g)].flatMap(([, names = '']) =>
    names.split(',').map((it) => it.trim()),
  );
  const unknown = grouped.filter((it) => it !== '' && !labels.has(it));
  const buckets = expr.includes('histogram_quantile') && !/histogram_quantile\([\d.]+, .*_bucket/.test(expr);
  return [
    ...(uses.length === 0 ? ['reads no metric'] : []),
    ...uses.flatMap(wrongUse),
    ...unknown.map((it) => `no metric of it has the label "${it}"`),
    ...(buckets ? ['histogram_quantile of what has no buckets'] : []),
  ].map((it) => `${it}: ${expr}`);
}

function wrongUse({ name, in: of, range, labels }: UsedMetric): string[] {
  if (name === 'up') return [];
  const known = metrics.get(base(name));
  if (known === undefined) return [`"${name}" is not in the list of metrics`];
  if (known.kind === 'histogram' && base(name) === name) return [`"${name}" is a histogram, and has no value`];
  const counts = known.kind !== 'gauge';
  const wrong = labels.filter((it) => ![...SCRAPED, 'le', ...known.labels].includes(it));
  return [
    ...wrong.map((it) => `"${name}" has no label "${it}"`),
    ...(counts && !OF_COUNTERS.includes(of) ? [`"${name}" only grows: take its rate or increase`] : []),
    ...(!counts && OF_COUNTERS.includes(of) ? [`"${name}" is a gauge: it has no ${of}`] : []),
    ...((range !== '') !== [...OF_COUNTERS, ...OF_GAUGES].includes(of) ? [`"${name}" in ${of}() with "${range}"`] : []),
  ];
}

/** The name in the list: of a histogram without its ending. */
function base(name: string): string {
  const histogram = name.replace(/_(bucket|sum|count)$/, '');
  return metrics.get(histogram)?.kind === 'histogram' ? histogram : name;
}
