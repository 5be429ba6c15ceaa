import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from './database.ts';
import { type EmbeddedPostgres, startPostgres } from './postgres.ts';

let server: EmbeddedPostgres;

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(() => server.stop());

const ofYourOwn = (): Promise<Database> => {
  vi.stubEnv('PGHOST', server.socketFolder);
  vi.stubEnv('PGUSER', 'postgres');
  return openDatabase('postgres:///postgres');
};

it('has the same books at every start, in a Postgres of your own too', async () => {
  const sums = async (database: Database): Promise<unknown> => {
    const rows = await database.sql`
      select (select sum(revenue) from sale) as sales, (select sum(revenue_target) from budget) as budgets,
        (select sum(on_hand) from inventory) as stock, (select sum(units) from purchase_order_line) as ordered,
        (select count(distinct month) from cogs) as months, (select count(*) from branch) as branches`;
    await database.close();
    return rows[0];
  };
  const first = await sums(await openDatabase());
  expect(first).toMatchObject({ months: 24, branches: 60 });
  expect(await sums(await ofYourOwn())).toEqual(first);
}, 30_000);

it('keeps its books in a Postgres of your own, and makes them only once', async () => {
  const first = await ofYourOwn();
  await first.sql`update branch set name = 'Renamed' where id = 'B123'`;
  await first.close();
  const second = await ofYourOwn();
  expect([...(await second.sql`select name from branch where id = 'B123'`)]).toEqual([{ name: 'Renamed' }]);
  await second.close();
}, 30_000);
