import { stringify } from 'yaml';
import type { Alert } from './alert.ts';
import { alertGroups } from './alerts.ts';

const HEAD = `# Alert rules for Prometheus: name this file under rule_files, as it is.
# Written by "npm run monitoring" from monitoring/*-alerts.ts, with the thresholds of health. What each means: docs/monitoring.md
`;

/** Where a person who was woken reads on. */
export function runbookOf(name: string): string {
  return `docs/monitoring.md#${name.toLowerCase()}`;
}

function ruleOf({ name, severity, expr, for: hold, summary, says, action }: Alert): object {
  return {
    alert: name,
    expr,
    ...(hold === undefined ? {} : { for: hold }),
    labels: { severity },
    annotations: { summary, description: `${says} ${action}`, runbook: runbookOf(name) },
  };
}

/** What `tidemark-alerts.yml` holds. */
export function alertsFile(): string {
  const groups = alertGroups.map(({ name, alerts }) => ({ name, rules: alerts.map(ruleOf) }));
  return HEAD + stringify({ groups }, { lineWidth: 0 });
}
