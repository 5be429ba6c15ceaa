import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from './client.ts';
import { type Database, openDatabase } from './domain/database.ts';
import { Tenants } from './domain/tenants.ts';
import type { EditionName } from './editions.ts';
import { type Running, startEdition } from './running.ts';

const tenants = new Tenants('secret of the test');
let database: Database;
let service: Running;
let org1: Client;
let org2: Client;

const start = async (edition: EditionName): Promise<void> => {
  database = await openDatabase();
  service = await startEdition(edition, database.sql, tenants);
  org1 = new Client(service.url, tenants.token('ORG1'));
  org2 = new Client(service.url, tenants.token('ORG2'));
};

const stop = async (): Promise<void> => {
  await service.close();
  await database.close();
};

type Budgets = { branchId: string; revenueTarget: number }[];
const budgets = '/budgets?period=2025-11';
const budget = (branchId: string, revenueTarget: number): object => {
  return { branchId, period: '2025-11', revenueTarget, cogsTarget: 1, expenseTarget: 1 };
};

/** What a reader is owed: per branch, the newest figure whose POST had returned when the read began. */
function owed(data: Budgets, returned: ReadonlyMap<string, number>): string[] {
  const shown = new Map(data.map((row) => [row.branchId, row.revenueTarget]));
  return [...returned].filter(([id, least]) => (shown.get(id) ?? 0) < least).map(([id, least]) => `${id} < ${least}`);
}

describe.each(['fastify', 'nest'] as const)('a change, with %s,', (edition) => {
  beforeAll(() => start(edition), 30_000);
  afterAll(stop);

  it('is in every read that begins after its POST returned, whoever else reads and writes', async () => {
    const returned = new Map<string, number>();
    const seen = { loader: 0, cache: 0, org2: new Set<unknown>() };
    const writing = new Set(['B101', 'B102', 'B123', 'B125']);
    const write = async (branchId: string): Promise<void> => {
      for (let round = 1; round <= 25; round++) {
        await org1.post('/budgets', budget(branchId, 1_000_000 + round));
        returned.set(branchId, 1_000_000 + round);
        // Room for a hit between two changes.
        await org1.get(budgets);
      }
      writing.delete(branchId);
    };
    const read = async (): Promise<void> => {
      while (writing.size > 0) {
        const atStart = new Map(returned);
        const { data, cached } = await org1.get<Budgets>(budgets);
        expect(owed(data, atStart)).toEqual([]);
        seen[cached ? 'cache' : 'loader']++;
        seen.org2.add((await org2.get(budgets)).cached);
        // Hits take no time: without a pause for the sockets, the readers would starve the writers.
        await setImmediate();
      }
    };
    await org2.get(budgets);
    await Promise.all([...Array.from(writing, write), read(), read(), read(), read()]);
    expect(seen.loader).toBeGreaterThan(0);
    expect(seen.cache).toBeGreaterThan(0);
    expect([...seen.org2]).toEqual([true]);
  }, 60_000);

  it('is announced after its COMMIT: what a read loads before it is not kept beyond it', async () => {
    await database.sql.unsafe(`
      create function wait() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(17); return null; end $$;
      create constraint trigger wait after insert or update on budget
        deferrable initially deferred for each row when (new.revenue_target = 17) execute function wait();`);
    const gate = await database.sql.reserve();
    await gate`select pg_advisory_lock(17)`;
    const change = org1.post('/budgets', budget('B125', 17));
    const atGate = async (): Promise<boolean> => (await gate`select from pg_locks where not granted`).length === 1;
    await vi.waitUntil(atGate);
    const target = async (): Promise<unknown> => {
      const { data } = await org1.get<Budgets>(budgets);
      return data.find((row) => row.branchId === 'B125')?.revenueTarget;
    };
    expect(await target()).not.toBe(17);
    await gate`select pg_advisory_unlock(17)`;
    gate.release();
    expect(await change).toMatchObject({ status: 200 });
    expect(await target()).toBe(17);
  });

  it('of stock is not lost when transfers cross', async () => {
    const cups = (): Promise<unknown> => database.sql`
      select sum(on_hand) as total, min(on_hand) as least from inventory
      where branch_id in ('B110', 'B111') and product_id = 'CUPS'`;
    const before = await cups();
    const transfer = { productId: 'CUPS', units: 1 };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        org1.post('/transfers', {
          ...transfer,
          fromBranchId: i % 2 ? 'B110' : 'B111',
          toBranchId: i % 2 ? 'B111' : 'B110',
        }),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(201));
    expect(await cups()).toEqual(before);
  });

  it('is received once, by one of two who try', async () => {
    const path = '/purchase-orders/PO-110-2/receive';
    const answers = await Promise.all([org1.post(path), org1.post(path)]);
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  it('raises its event also when the COMMIT failed, since it may have got through', async () => {
    await database.sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$ begin raise 'no' using errcode = '23514'; end $$;
      create constraint trigger refuse after insert or update on budget
        deferrable initially deferred for each row when (new.revenue_target = 13) execute function refuse();`);
    await org1.get(budgets);
    expect(await org1.get(budgets)).toMatchObject({ cached: true });
    expect(await org1.post('/budgets', budget('B123', 13))).toMatchObject({ status: 500, error: 'internal' });
    expect(await org1.get(budgets)).toMatchObject({ cached: false });
  });
});
