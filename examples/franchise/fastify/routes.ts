import type { FastifyInstance } from 'fastify';
import { answer, lastPeriod } from '../domain/answer.ts';
import { type Budget, budgetBody, setBudget } from '../domain/budgets.ts';
import type { Commit } from '../domain/change.ts';
import { type Adjustment, adjustInventory, adjustmentBody } from '../domain/inventory.ts';
import { purchaseOrderParams, receivePurchaseOrder } from '../domain/purchase-orders.ts';
import type { Reports } from '../domain/reports.ts';
import { type Transfer, transferBody, transferStock } from '../domain/transfers.ts';
import { fields, period } from '../domain/validation.ts';

const ofPeriod = { schema: { querystring: fields({ period }) } };
const ofAnyPeriod = { schema: { querystring: fields({ period }, 'optional') } };
const ofNothing = { schema: { querystring: fields({}) } };

/** What can be asked of the service, all of it for the organisation of the caller's token. */
export function routes(app: FastifyInstance, reports: Reports, commit: Commit): void {
  const { budgets, overview, rankings, forecast } = reports;

  app.get<{ Querystring: { period: string } }>('/budgets', ofPeriod, async ({ orgId, query }) =>
    answer(await budgets.read(orgId, query.period)),
  );
  app.get<{ Querystring: { period?: string } }>('/overview', ofAnyPeriod, async ({ orgId, query }) =>
    answer(await overview.read(orgId, query.period ?? lastPeriod)),
  );
  app.get<{ Querystring: { period?: string } }>('/rankings', ofAnyPeriod, async ({ orgId, query }) =>
    answer(await rankings.read(orgId, query.period ?? lastPeriod)),
  );
  app.get('/forecast', ofNothing, async ({ orgId }) => answer(await forecast.read(orgId)));

  app.post<{ Body: Budget }>('/budgets', { schema: { body: budgetBody } }, ({ orgId, body }) =>
    commit((tx) => setBudget(tx, orgId, body)),
  );
  app.post<{ Params: { id: string } }>(
    '/purchase-orders/:id/receive',
    { schema: { params: purchaseOrderParams } },
    ({ orgId, params }) => commit((tx) => receivePurchaseOrder(tx, orgId, params.id)),
  );
  app.post<{ Body: Transfer }>('/transfers', { schema: { body: transferBody } }, async ({ orgId, body }, reply) =>
    reply.code(201).send(await commit((tx) => transferStock(tx, orgId, body))),
  );
  app.post<{ Body: Adjustment }>(
    '/inventory/adjustments',
    { schema: { body: adjustmentBody } },
    async ({ orgId, body }, reply) => reply.code(201).send(await commit((tx) => adjustInventory(tx, orgId, body))),
  );
}
