import type { FleetHealth } from './fleet.ts';
import { by, type MetricDefinition, type MetricValue, one } from './metric-definition.ts';
import type { NodeView } from './node-view.ts';

type Read = (fleet: FleetHealth) => readonly MetricValue[];

const STATUSES: readonly NodeView['status'][] = ['healthy', 'degraded', 'critical', 'silent'];

function gauge(name: string, labels: readonly string[], help: string, read: Read): MetricDefinition<FleetHealth> {
  return { name, kind: 'gauge', labels, help, read };
}

function countOf({ nodes }: FleetHealth, status: NodeView['status']): number {
  return nodes.filter((it) => it.kind === 'node' && it.status === status).length;
}

/** What the reports of a fleet say together; every node of a fleet tells the same. Of relays only where there are some. */
export const fleetMetricList: readonly MetricDefinition<FleetHealth>[] = [
  gauge(
    'fleet_nodes',
    ['status'],
    'Nodes of the fleet, by what they say of themselves; silent are those that are listed and say nothing.',
    by('status', (fleet) => Object.fromEntries(STATUSES.map((status) => [status, countOf(fleet, status)]))),
  ),
  gauge(
    'fleet_relays',
    ['state'],
    'Relays of the fleet: one is active where all is well, the others are standby.',
    by('state', ({ relay }) =>
      relay === undefined ? {} : { active: Number(relay.active !== undefined), standby: relay.standby },
    ),
  ),
  gauge(
    'relay_lag_seconds',
    [],
    'How long the oldest change that the active relay knows of has waited.',
    one(({ relay }) => (relay?.lagMs === undefined ? undefined : relay.lagMs / 1_000)),
  ),
  gauge(
    'relay_waiting_rows',
    [],
    'Rows of the outbox that wait.',
    one(({ relay }) => relay?.waiting),
  ),
  gauge(
    'relay_problem',
    [],
    "1 while the active relay does not read the database's log, where it should; else 0.",
    one(({ relay }) => relay && Number(relay.problem !== undefined)),
  ),
];
