import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, Client } from './client.ts';
import { type Database, openDatabase } from './domain/database.ts';
import { Tenants } from './domain/tenants.ts';
import { editionNames } from './editions.ts';
import { type Running, startEdition } from './running.ts';

const tenants = new Tenants('secret of the test');
const paths = {
  budgets: '/budgets?period=2025-11',
  overview: '/overview',
  rankings: '/rankings?period=2025-11',
  forecast: '/forecast',
};
type Report = keyof typeof paths;
const reports = Object.keys(paths) as Report[];

let database: Database;
let service: Running;
let log: PassThrough;
let org1: Client;
let org2: Client;

/** Asks for every report, and answers each. */
async function readAll(client: Client): Promise<Record<Report, Answer>> {
  const answers = await Promise.all(reports.map((report) => client.get(paths[report])));
  return Object.fromEntries(reports.map((report, i) => [report, answers[i]])) as Record<Report, Answer>;
}

/** Which of the reports were loaded from the database. */
function loaded(answers: Record<Report, Answer>): Report[] {
  return reports.filter((report) => answers[report].cached === false);
}

/** What the reports are when nothing is cached, from a service of its own. */
async function truth(orgId: string): Promise<Record<Report, unknown>> {
  const cold = await startEdition('fastify', database.sql, tenants);
  const answers = await readAll(new Client(cold.url, tenants.token(orgId)));
  await cold.close();
  return data(answers);
}

function data(answers: Record<Report, Answer>): Record<Report, unknown> {
  return Object.fromEntries(reports.map((report) => [report, answers[report].data])) as Record<Report, unknown>;
}

describe.each(editionNames)('with %s, an event makes its reports old, and no other', (edition) => {
  beforeAll(async () => {
    database = await openDatabase();
  }, 30_000);
  afterAll(() => database.close());
  beforeEach(async () => {
    log = new PassThrough();
    service = await startEdition(edition, database.sql, tenants, { level: 'info', stream: log });
    org1 = new Client(service.url, tenants.token('ORG1'));
    org2 = new Client(service.url, tenants.token('ORG2'));
  });
  afterEach(() => service.close());

  const budget = { branchId: 'B123', period: '2025-11', revenueTarget: 81_234.5, cogsTarget: 20_000, expenseTarget: 0 };
  const transfer = { fromBranchId: 'B123', toBranchId: 'B101', productId: 'CUPS', units: 3 };
  const adjustment = { branchId: 'B123', productId: 'MILK', change: -2, reason: 'damage' };

  it.each<[string, string, object | undefined, Report[]]>([
    ['budget.updated', '/budgets', budget, ['budgets']],
    ['po.received', '/purchase-orders/PO-123-2/receive', undefined, ['overview', 'rankings']],
    ['transfer.changed', '/transfers', transfer, ['overview', 'rankings', 'forecast']],
    ['inventory.adjusted', '/inventory/adjustments', adjustment, ['overview', 'rankings', 'forecast']],
  ])('%s', async (event, path, body, old) => {
    for (const client of [org1, org2]) {
      expect(loaded(await readAll(client))).toEqual(reports);
      expect(loaded(await readAll(client))).toEqual([]);
    }
    const before = data(await readAll(org1));

    expect(await org1.post(path, body)).toMatchObject({ event, invalidation: 'applied' });

    const after = await readAll(org1);
    expect(loaded(after)).toEqual(old);
    for (const report of old) expect(after[report].data).not.toEqual(before[report]);
    expect(loaded(await readAll(org2))).toEqual([]);
    // What was left in the cache was rightly left there, in both organisations.
    expect(data(after)).toEqual(await truth('ORG1'));
    expect(data(await readAll(org2))).toEqual(await truth('ORG2'));
  });

  it('also in months other than the one changed, because a month is below its organisation', async () => {
    await org1.get('/budgets?period=2025-10');
    await org2.get('/budgets?period=2025-10');
    await org1.post('/budgets', budget);
    expect(await org1.get('/budgets?period=2025-10')).toMatchObject({ cached: false });
    expect(await org2.get('/budgets?period=2025-10')).toMatchObject({ cached: true });
  });

  it('but a refused change makes nothing old', async () => {
    await readAll(org1);
    await org1.post('/budgets', { ...budget, branchId: 'B999' });
    await org2.post('/budgets', budget);
    await org1.post('/transfers', { ...transfer, units: 90_000 });
    expect(loaded(await readAll(org1))).toEqual([]);
  });

  it('with one line in the log', async () => {
    await org1.post('/budgets', budget);
    const lines = (log.read() as Buffer)
      .toString()
      .split('\n')
      .filter((line) => line.includes('cache_bust'));
    expect(lines).toHaveLength(1);
    const { msg } = JSON.parse(lines[0] ?? '') as { msg: string };
    expect(msg).toMatch(/^cache_bust org=ORG1 /);
  });
});
