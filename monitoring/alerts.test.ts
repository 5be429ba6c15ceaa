import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { promtool } from '../test/servers/promtool.ts';
import type { Alert } from './alert.ts';
import { type AlertCase, alertCases, grows, labelsOf, seriesOf, stays, STEP } from './alert-case.ts';
import { alertGroups } from './alerts.ts';
import { alertsFile, runbookOf } from './alerts-file.ts';
import { wrongUses } from './used-metric.ts';

const rules = fileURLToPath(new URL('tidemark-alerts.yml', import.meta.url));
const alerts = alertGroups.flatMap((group) => group.alerts);
const names = [...new Set(alerts.map(({ name }) => name))];

/** After the start: before anything had time to count, while it is wrong, and long after it was mended. */
const EARLY = '15s';
const WRONG = '25m';
const MENDED = '100m';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rules-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs unit tests of the rules by Prometheus' own tool. */
function tested(tests: readonly object[]): string {
  const path = join(folder, 'test.yml');
  writeFileSync(
    path,
    stringify({ rule_files: [rules], evaluation_interval: STEP, tests }, { aliasDuplicateObjects: false }),
  );
  const { ok, output } = promtool(['test', 'rules', path]);
  return ok ? '' : output;
}

function inputs(given: Parameters<typeof seriesOf>[0]): object {
  const input_series = seriesOf(given).map(([series, values]) => ({ series, values }));
  return { interval: STEP, input_series };
}

/** Before it counts, while it is wrong, and afterwards. */
function testOf(given: AlertCase): object {
  const at = (eval_time: string, exp_alerts: readonly object[]): object => ({
    ...{ eval_time, alertname: given.alert, exp_alerts },
  });
  const expected = alerts.filter(({ name, severity }) => name === given.alert && given.severities.includes(severity));
  const early = expected.filter((it) => it.for === undefined || it.for === '0s').length > 0 ? [] : [at(EARLY, [])];
  return {
    ...inputs(given),
    alert_rule_test: [
      ...early,
      at(
        WRONG,
        expected.map((it) => alarm(it, given)),
      ),
      at(MENDED, []),
    ],
  };
}

function alarm({ name, severity, summary, says, action }: Alert, given: AlertCase): object {
  const labels = labelsOf(given);
  const read = (text: string): string =>
    text
      .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '')
      .replace(/\{\{ \$value[^}]*\}\}/g, given.value ?? '');
  return {
    exp_labels: { ...labels, severity },
    exp_annotations: { summary: read(summary), description: `${read(says)} ${action}`, runbook: runbookOf(name) },
  };
}

describe('tidemark-alerts.yml', () => {
  it('is what "npm run monitoring" writes', () => {
    expect(readFileSync(rules, 'utf8')).toBe(alertsFile());
  });

  it("passes Prometheus' own check", { timeout: 120_000 }, () => {
    const { ok, output } = promtool(['check', 'rules', rules]);
    expect(output).toContain(`SUCCESS: ${alerts.length} rules found`);
    expect(ok).toBe(true);
  });

  it.each(alerts.map(({ name, severity, expr }) => [name, severity, expr] as const))(
    '%s (%s) reads metrics of the list, as they may be read',
    (_, __, expr) => {
      expect(wrongUses(expr)).toEqual([]);
    },
  );
});

describe('docs/monitoring.md', () => {
  const page = readFileSync(new URL('../docs/monitoring.md', import.meta.url), 'utf8');
  const told = [...page.matchAll(/^### (Tidemark\w+)\n\n\*([^*]+)\.\*/gm)].map(([, name, when]) => [name, when]);

  it('has each alert, in the order of the rules, with its severities and how long it waits', () => {
    const when = (name: string): string =>
      alerts
        .filter((it) => it.name === name)
        .map((it) => `${it.severity} ${it.for === undefined || it.for === '0s' ? 'at once' : `after ${it.for}`}`)
        .join(', ');
    expect(told).toEqual(names.map((name) => [name, when(name)]));
  });
});

describe('alerts', () => {
  it('are silent while all is well', { timeout: 120_000 }, () => {
    const times = [EARLY, '5m', WRONG, '60m', MENDED];
    const alert_rule_test = names.flatMap((alertname) =>
      times.map((eval_time) => ({ eval_time, alertname, exp_alerts: [] })),
    );
    expect(tested([{ ...inputs({ wrong: {} }), alert_rule_test }])).toBe('');
  });

  it('of each name and severity have a case', () => {
    const told = new Set(alertCases.flatMap(({ alert, severities }) => severities.map((it) => `${alert} ${it}`)));
    expect([...told].sort()).toEqual(alerts.map(({ name, severity }) => `${name} ${severity}`).sort());
  });

  it.each(alertCases.map((given) => [given.alert, given.severities.join(', '), given] as const))(
    '%s (%s) fires with what is wrong, and ends with it',
    { timeout: 120_000 },
    (_, __, given) => {
      expect(tested([testOf(given)])).toBe('');
    },
  );

  it('need enough reads and loads to say anything of them', { timeout: 120_000 }, () => {
    // In 15 s: 10 hits and 10 missed are 80 a minute; 1 load, which fails, is 4.
    const few = { hits: grows(10), missed: grows(10), loaded: grows(0), failed: grows(1) };
    const alert_rule_test = ['TidemarkHitRateLow', 'TidemarkReadsSlow', 'TidemarkLoadsFailing'].map((alertname) => ({
      ...{ eval_time: WRONG, alertname, exp_alerts: [] },
    }));
    expect(tested([{ ...inputs({ wrong: few }), alert_rule_test }])).toBe('');
  });

  it('of slow reads are silent where memory answers nearly all, and none of those was measured', {
    timeout: 120_000,
  }, () => {
    const none = { memoryFast: grows(0), memoryAll: grows(0), memorySlower: grows(0), memorySlow: grows(0) };
    const slow = { loaderFast: grows(0), loaderSlower: grows(0), loaderSlow: grows(0) };
    const silent = [{ eval_time: WRONG, alertname: 'TidemarkReadsSlow', exp_alerts: [] }];
    expect(tested([{ ...inputs({ wrong: { ...none, ...slow } }), alert_rule_test: silent }])).toBe('');
    // A hundred more of them are more than 5 %.
    expect(
      tested([{ ...inputs({ wrong: { ...none, ...slow, loaderAll: grows(115) } }), alert_rule_test: silent }]),
    ).toContain('TidemarkReadsSlow');
  });

  it('of a full memory are silent where the policy makes room among the values', { timeout: 120_000 }, () => {
    const node = 'cache="shop",instance="a:1",job="api"';
    const besides = {
      [`tidemark_server_info{${node},eviction_policy="volatile-lru",role="primary",server="redis"}`]: '1x119',
    };
    const alert_rule_test = [{ eval_time: WRONG, alertname: 'TidemarkServerMemoryShort', exp_alerts: [] }];
    expect(tested([{ ...inputs({ wrong: { used: stays(999) }, besides }), alert_rule_test }])).toBe('');
  });

  it('would be missed here if they did not fire', { timeout: 120_000 }, () => {
    const [given] = alertCases as [AlertCase];
    expect(tested([{ ...testOf(given), ...inputs({ wrong: {} }) }])).toContain('FAILED');
  });
});
