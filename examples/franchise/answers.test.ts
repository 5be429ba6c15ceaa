import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from './client.ts';
import { type Database, openDatabase } from './domain/database.ts';
import { Tenants } from './domain/tenants.ts';
import { editionNames } from './editions.ts';
import { type Running, startEdition } from './running.ts';

const tenants = new Tenants('secret of the test');
let database: Database;
let service: Running;
let org1: Client;
let org2: Client;

describe.each(editionNames)('with %s', (edition) => {
  beforeAll(async () => {
    database = await openDatabase();
    service = await startEdition(edition, database.sql, tenants);
    org1 = new Client(service.url, tenants.token('ORG1'));
    org2 = new Client(service.url, tenants.token('ORG2'));
  }, 30_000);

  afterAll(async () => {
    await service.close();
    await database.close();
  });

  const budget = { branchId: 'B123', period: '2025-11', revenueTarget: 1, cogsTarget: 2, expenseTarget: 3 };
  const transfer = { fromBranchId: 'B123', toBranchId: 'B124', productId: 'CUPS', units: 1 };
  const adjustment = { branchId: 'B123', productId: 'MILK', change: -1, reason: 'waste' };

  describe('reports', () => {
    it('are of the organisation of the token, with all of its branches', async () => {
      const [one, two] = [await org1.get<object[]>('/rankings'), await org2.get<object[]>('/rankings')];
      expect(one.data).toHaveLength(25);
      expect(two.data).toHaveLength(20);
      expect(one.data).toContainEqual(expect.objectContaining({ branchId: 'B123', period: '2025-11' }));
      expect(two.data).not.toContainEqual(expect.objectContaining({ branchId: 'B123' }));
    });

    it('add up: the overview is the sum of the rankings', async () => {
      const overview = await org1.get<{ revenue: number; stockValue: number }>('/overview?period=2025-03');
      const rankings = await org1.get<{ revenue: number; stockValue: number }[]>('/rankings?period=2025-03');
      const sum = (of: 'revenue' | 'stockValue'): number => rankings.data.reduce((total, row) => total + row[of], 0);
      expect(sum('revenue')).toBeCloseTo(overview.data.revenue, 2);
      expect(sum('stockValue')).toBeCloseTo(overview.data.stockValue, 2);
    });

    it('say with what they do not know that a month has no books', async () => {
      const { data } = await org1.get<object[]>('/budgets?period=2031-01');
      expect(data[0]).toMatchObject({ branchId: 'B101', revenueTarget: null, revenue: 0 });
      expect((await org1.get('/overview?period=2031-01')).data).toMatchObject({
        revenue: 0,
        revenueGrowthPercent: null,
      });
    });

    it('forecast the three months after the last one', async () => {
      const { data } = await org1.get<{ months: object[] }[]>('/forecast');
      expect(data[0]?.months).toMatchObject([{ period: '2025-12' }, { period: '2026-01' }, { period: '2026-02' }]);
    });
  });

  describe('a request is refused', () => {
    it.each([
      [
        'a missing field',
        '/budgets',
        { ...budget, period: undefined },
        'period',
        'period is missing. It must be a month as YYYY-MM.',
        'Send for example "period": "2025-11".',
      ],
      [
        'a wrong type',
        '/budgets',
        { ...budget, revenueTarget: '72000' },
        'revenueTarget',
        'revenueTarget must be an amount from 0 to 1000000000, not "72000".',
        'Send for example "revenueTarget": 72000.',
      ],
      [
        'a negative amount',
        '/budgets',
        { ...budget, cogsTarget: -1 },
        'cogsTarget',
        'cogsTarget must be an amount from 0 to 1000000000, not -1.',
        'Send for example "cogsTarget": 21000.',
      ],
      [
        'null',
        '/budgets',
        { ...budget, expenseTarget: null },
        'expenseTarget',
        'expenseTarget must be an amount from 0 to 1000000000, not null.',
        'Send for example "expenseTarget": 30000.',
      ],
      [
        'a month that does not exist',
        '/budgets',
        { ...budget, period: '2025-13' },
        'period',
        'period must be a month as YYYY-MM, not "2025-13".',
        'Send for example "period": "2025-11".',
      ],
      [
        'a field too many',
        '/budgets',
        { ...budget, orgId: 'ORG2' },
        'orgId',
        'orgId is not known here.',
        'Leave it out. Known are: branchId, period, revenueTarget, cogsTarget, expenseTarget.',
      ],
      [
        'a control character',
        '/budgets',
        { ...budget, branchId: 'B\u0000' },
        'branchId',
        'branchId must be the id of a branch, not "B\\u0000".',
        'Send for example "branchId": "B123".',
      ],
      [
        'a list',
        '/budgets',
        [],
        'body',
        'The body must be a JSON object.',
        'Send branchId, period, revenueTarget, cogsTarget, expenseTarget.',
      ],
      [
        'no body',
        '/budgets',
        undefined,
        'body',
        'The body must be a JSON object.',
        'Send branchId, period, revenueTarget, cogsTarget, expenseTarget.',
      ],
      [
        'no transfer',
        '/transfers',
        { ...transfer, units: 0 },
        'units',
        'units must be a whole number from 1 to 100000, not 0.',
        'Send for example "units": 5.',
      ],
      [
        'a transfer to the same branch',
        '/transfers',
        { ...transfer, toBranchId: 'B123' },
        'toBranchId',
        'toBranchId must be another branch than fromBranchId, not B123 again.',
        'Name the branch that gets the units.',
      ],
      [
        'a change of nothing',
        '/inventory/adjustments',
        { ...adjustment, change: 0 },
        'change',
        'change must be a whole number from -100000 to 100000 other than 0, not 0.',
        'Send for example "change": -3.',
      ],
      [
        'half a unit',
        '/inventory/adjustments',
        { ...adjustment, change: 0.5 },
        'change',
        'change must be a whole number from -100000 to 100000 other than 0, not 0.5.',
        'Send for example "change": -3.',
      ],
      [
        'an unknown reason',
        '/inventory/adjustments',
        { ...adjustment, reason: 'mood' },
        'reason',
        'reason must be one of count, damage, theft and waste, not "mood".',
        'Send for example "reason": "count".',
      ],
    ])('with 400 for %s', async (_what, path, body, field, message, cure) => {
      expect(await org1.post(path, body)).toEqual({ status: 400, error: 'bad_request', field, message, cure });
    });

    it('with 400 for a body that is no JSON, or not said to be', async () => {
      expect(await org1.post('/budgets', '{"branchId":')).toMatchObject({ status: 400, field: 'body' });
      expect(await org1.post('/budgets', '{}', 'text/plain')).toMatchObject({
        status: 415,
        field: 'body',
        cure: 'Send the header content-type: application/json.',
      });
    });

    it.each([
      ['/budgets', 'period is missing. It must be a month as YYYY-MM.'],
      ['/budgets?period=november', 'period must be a month as YYYY-MM, not "november".'],
      ['/budgets?period=2025-11&period=2025-12', 'period must be a month as YYYY-MM, not ["2025-11","2025-12"].'],
      ['/overview?period=', 'period must be a month as YYYY-MM, not "".'],
      ['/forecast?org=ORG2', 'org is not known here.'],
    ])('with 400 for %s', async (path, message) => {
      expect(await org1.get(path)).toMatchObject({ status: 400, message });
    });

    it.each([
      ['no token', undefined, 'The request has no bearer token.'],
      ['an empty one', '', 'The request has no bearer token.'],
      ['one without an organisation', 'abc', 'The bearer token is not valid.'],
      ['one of another secret', new Tenants('another secret').token('ORG1'), 'The bearer token is not valid.'],
      ['one for another organisation', tenants.token('ORG1').replace('ORG1', 'ORG2'), 'The bearer token is not valid.'],
    ])('with 401 for %s', async (_what, token, message) => {
      const answer = await new Client(service.url, token).get('/overview');
      expect(answer).toMatchObject({ status: 401, error: 'unauthenticated', field: 'authorization', message });
    });

    it.each([
      ['/budgets', budget, 'branchId'],
      ['/purchase-orders/PO-123-2/receive', undefined, 'id'],
      ['/transfers', transfer, 'fromBranchId'],
      ['/transfers', { ...transfer, fromBranchId: 'B201' }, 'toBranchId'],
      ['/inventory/adjustments', adjustment, 'branchId'],
    ])('with 403 for what belongs to another organisation: %s %o', async (path, body, field) => {
      const answer = await org2.post(path, body);
      expect(answer).toMatchObject({ status: 403, error: 'forbidden', field });
      expect(answer.message).toContain('belongs to another organisation than ORG2');
    });

    it.each([
      ['/budgets', { ...budget, branchId: 'B999' }, 'branchId', 'There is no branch B999.'],
      ['/purchase-orders/PO-999-9/receive', undefined, 'id', 'There is no purchase order PO-999-9.'],
      ['/transfers', { ...transfer, toBranchId: 'B999' }, 'toBranchId', 'There is no branch B999.'],
      ['/transfers', { ...transfer, productId: 'TEA' }, 'productId', 'Branch B123 has no product TEA.'],
      ['/inventory/adjustments', { ...adjustment, productId: 'TEA' }, 'productId', 'Branch B123 has no product TEA.'],
    ])('with 404 for what does not exist: %s %o', async (path, body, field, message) => {
      expect(await org1.post(path, body)).toMatchObject({ status: 404, error: 'not_found', field, message });
    });

    it('with 404 for a route that does not exist, whoever asks', async () => {
      for (const client of [org1, new Client(service.url)]) {
        expect(await client.get('/nowhere')).toMatchObject({
          status: 404,
          message: 'There is no GET /franchise/nowhere.',
        });
      }
    });

    it('with 409 for more units than there are, or an order received before', async () => {
      const much = await org1.post('/transfers', { ...transfer, units: 90_000 });
      expect(much).toMatchObject({ status: 409, error: 'conflict', field: 'units' });
      expect(much.cure).toMatch(/^Take at most \d+\.$/);
      expect(await org1.post('/purchase-orders/PO-123-1/receive', '')).toMatchObject({ status: 409, field: 'id' });
    });

    it('without a trace in the books', async () => {
      const before = await database.sql`select * from budget order by 1, 2`;
      const stock = await database.sql`select * from inventory order by 1, 2`;
      await org2.post('/budgets', budget);
      await org1.post('/transfers', { ...transfer, units: 90_000 });
      await org1.post('/transfers', { ...transfer, toBranchId: 'B201' });
      expect(await database.sql`select * from budget order by 1, 2`).toEqual(before);
      expect(await database.sql`select * from inventory order by 1, 2`).toEqual(stock);
    });
  });

  describe('with the database gone', () => {
    it('what is cached is answered, and the rest is said to be unavailable', async () => {
      const other = await openDatabase();
      const server = await startEdition(edition, other.sql, tenants);
      const client = new Client(server.url, tenants.token('ORG1'));
      await client.get('/overview');
      await other.close();
      expect(await client.get('/overview')).toMatchObject({ status: 200, cached: true });
      expect(await client.get('/rankings')).toMatchObject({ status: 503, error: 'unavailable' });
      expect(await client.post('/budgets', budget)).toMatchObject({ status: 503, error: 'unavailable' });
      await server.close();
    }, 30_000);
  });
});
