import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { promtool } from '../test/servers/promtool.ts';
import { dashboardFile } from './dashboard.ts';
import { metrics } from './metric.ts';
import { usedMetrics, wrongUses } from './used-metric.ts';

interface LoadedPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: object;
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

interface Loaded {
  readonly title: string;
  readonly panels: readonly LoadedPanel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

const text = readFileSync(new URL('tidemark-dashboard.json', import.meta.url), 'utf8');
const dashboard = JSON.parse(text) as Loaded;
const panels = dashboard.panels.filter(({ type }) => type !== 'row');
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
/** What Grafana puts in. */
const filledIn = (expr: string): string =>
  expr.replace(/\$__(rate_interval|range)\b/g, '5m').replace(/"\$\w+"/g, '".*"');

it('is what "npm run monitoring" writes', () => {
  expect(text).toBe(dashboardFile());
});

it('loads as it is: it asks for nothing, and every panel takes the chosen source of data', () => {
  expect(text).not.toContain('__inputs');
  expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
    ['datasource', 'datasource'],
    ['cache', 'query'],
    ['node', 'query'],
  ]);
  for (const { datasource } of panels) expect(datasource).toEqual({ type: 'prometheus', uid: `\${datasource}` });
});

it('has panels with a number, a title, what it is about and a query each, none over another', () => {
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const taken = new Set<string>();
  for (const { title, description, targets = [] } of panels) {
    expect([title, description]).toEqual([expect.stringMatching(/./), expect.stringMatching(/\.$/)]);
    expect(targets.length).toBeGreaterThan(0);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
  }
  for (const { title, gridPos } of dashboard.panels)
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(x).toBeLessThan(24);
        expect(taken, `${title} at ${x}, ${y}`).not.toContain(`${x},${y}`);
        taken.add(`${x},${y}`);
      }
});

it('reads metrics of the list, of the chosen caches and nodes, as they may be read', () => {
  expect(queries.flatMap((expr) => wrongUses(filledIn(expr)))).toEqual([]);
  for (const use of queries.flatMap((expr) => usedMetrics(filledIn(expr))))
    expect(use.labels).toEqual(expect.arrayContaining(['cache', 'instance']));
});

it('shows every metric of the list', () => {
  const shown = new Set(queries.flatMap((expr) => usedMetrics(filledIn(expr)).map(({ name }) => name)));
  const missing = [...metrics].filter(([name, { kind }]) => !shown.has(kind === 'histogram' ? `${name}_bucket` : name));
  expect(missing.map(([name]) => name)).toEqual([]);
});

it("has queries that Prometheus' own parser takes", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'panels-'));
  const check = (exprs: readonly string[]): ReturnType<typeof promtool> => {
    const rules = exprs.map((expr, i) => ({ record: `panel:${i}`, expr }));
    writeFileSync(join(folder, 'rules.yml'), stringify({ groups: [{ name: 'panels', rules }] }));
    return promtool(['check', 'rules', join(folder, 'rules.yml')]);
  };
  expect(check(queries.map(filledIn)).output).toContain(`SUCCESS: ${queries.length} rules found`);
  expect(check(['sum by (cache (tidemark_attached)']).ok).toBe(false);
  rmSync(folder, { recursive: true });
});
