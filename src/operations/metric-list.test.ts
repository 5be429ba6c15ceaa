import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fleetMetricList } from './fleet-metrics.ts';
import { metricList, serverMetricList } from './metric-list.ts';

const all = [...metricList, ...serverMetricList, ...fleetMetricList];

/** The rows of the table in the documentation. */
function rows(): string[] {
  const named = ({ labels }: (typeof all)[number]): string => labels.map((it) => `\`${it}\``).join(', ');
  return all.map((it) => `| \`tidemark_${it.name}\` | ${it.kind} | ${named(it)} | ${it.help} |`);
}

describe('the list of metrics', () => {
  it('is the one in docs/metrics.md', () => {
    const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    expect(page.split('\n').filter((line) => line.startsWith('| `tidemark_'))).toEqual(rows());
  });

  it('has each name once, and counters that say so', () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name, kind } of all) expect(name.endsWith('_total')).toBe(kind === 'counter');
  });
});
