import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openDatabase } from './database.ts';
import { type EmbeddedPostgres, startPostgres } from './postgres.ts';

let own: EmbeddedPostgres;

beforeAll(async () => {
  own = await startPostgres();
}, 30_000);

afterAll(() => own.stop());

it('keeps its books in a Postgres of your own, and makes them only once', async () => {
  vi.stubEnv('PGHOST', own.socketFolder);
  vi.stubEnv('PGUSER', 'postgres');
  const first = await openDatabase('postgres:///postgres');
  await first.sql`update branch set name = 'Renamed' where id = 'B123'`;
  await first.close();
  const second = await openDatabase('postgres:///postgres');
  expect([...(await second.sql`select name from branch where id = 'B123'`)]).toEqual([{ name: 'Renamed' }]);
  await second.close();
}, 30_000);

it('has the same books at every start', async () => {
  const sums = async (): Promise<unknown> => {
    const database = await openDatabase();
    const rows = await database.sql`
      select (select sum(revenue) from sale) as sales, (select sum(revenue_target) from budget) as budgets,
        (select sum(on_hand) from inventory) as stock, (select sum(units) from purchase_order_line) as ordered,
        (select count(distinct month) from cogs) as months, (select count(*) from branch) as branches`;
    await database.close();
    return rows[0];
  };
  const first = await sums();
  expect(first).toMatchObject({ months: 24, branches: 60 });
  expect(await sums()).toEqual(first);
}, 30_000);
