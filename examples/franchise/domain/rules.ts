import { type Cache, createRules, type Rules } from 'tidemark';
import type { DomainEvent } from './events.ts';
import type { Reports } from './reports.ts';

/**
 * Which reports each event makes old: the ones that read a table which the command behind it writes. `at(orgId)` is
 * everything that a report has kept for one organisation, so no other one's entries are touched.
 */
export function createDomainRules(
  cache: Cache,
  { budgets, overview, rankings, forecast }: Reports,
): Rules<DomainEvent> {
  return createRules<DomainEvent>(
    cache,
    {
      'budget.updated': (event) => budgets.at(event.orgId),
      // Not the forecast: it reads the inventory position, which is the same before and after (see sql/schema.sql).
      'po.received': (event) => [overview.at(event.orgId), rankings.at(event.orgId)],
      'transfer.changed': ({ orgId }) => [overview.at(orgId), rankings.at(orgId), forecast.at(orgId)],
      'inventory.adjusted': ({ orgId }) => [overview.at(orgId), rankings.at(orgId), forecast.at(orgId)],
    },
    { fields: (event) => ({ org: event.orgId }) },
  );
}
