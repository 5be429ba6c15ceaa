import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { consistencyRow, logRow, invalidationRow } from './log-rows.ts';
import { metric } from './metric.ts';
import { DATASOURCE, panelOf, type RowPlan } from './panel.ts';
import { fleetRow, loadRow, memoryRow, missRow, readRow } from './read-rows.ts';
import { breakerRow, relayRow, serverRow, storeRow } from './server-rows.ts';

const rows: readonly RowPlan[] = [
  ...[fleetRow, readRow, missRow, loadRow, memoryRow, invalidationRow, logRow, consistencyRow],
  ...[storeRow, serverRow, breakerRow, relayRow],
];

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query({ query, refId: name, qryType: 1 })
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: 'All', value: '$__all' });
}

/** What `tidemark-dashboard.json` holds. */
export function dashboardFile(): string {
  // oxlint-disable-next-line typescript/no-deprecated -- the second form is not read by every Grafana that is in use
  const board = new DashboardBuilder('Tidemark')
    .uid('tidemark')
    .description('Caches that stay coherent: the fleet, what its readers see, and what keeps it so.')
    .tags(['tidemark', 'cache'])
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .editable()
    .variables([
      new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
      variable('cache', 'Cache', `label_values(${metric('attached')}, cache)`),
      variable('node', 'Node', `label_values(${metric('attached')}{cache=~"$cache"}, instance)`),
    ]);
  for (const { title, panels } of rows) {
    board.withRow(new RowBuilder(title));
    for (const plan of panels) board.withPanel(panelOf(plan));
  }
  const built = board.build();
  for (const [i, panel] of (built.panels ?? []).entries()) panel.id = i + 1;
  return `${JSON.stringify({ ...built, id: null, annotations: { list: [] } }, null, 2)}\n`;
}
