import pg from 'pg';
import { createCache, key } from '../../src/index.ts';
import { createTransactions } from '../../src/postgres/index.ts';
import { redis } from '../../src/redis/index.ts';
import { carriers } from './carrier.ts';
import { type Assignment, keyOf, type Order, type Point, type Report } from './message.ts';

/** One transaction, and then none any more. */
type Write = Extract<Order, { readonly type: 'write' }>;

let write: ((order: Write) => Promise<void>) | undefined;
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  if (order.type === 'begin') void begin(order.assignment);
  if (order.type === 'write') void write?.(order).then(() => die());
});

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal is there before the next statement.
  throw new Error('alive');
}

/** Without giving way: what was handed to the system is under way meanwhile. */
function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

async function begin({ database, redis: url, carrier }: Assignment): Promise<void> {
  const cache = createCache({ name: 'crash', ...redis({ url }) });
  await cache.ready({ timeout: '1m' });
  let now: { readonly point: Point; readonly ms: number } = { point: 'anytime', ms: 0 };
  const pool = new pg.Pool({ connectionString: database, max: 1 });
  const client = await pool.connect();
  const query = client.query.bind(client) as (text: string, values?: unknown[]) => Promise<never>;
  const dying = async (text: string, values?: unknown[]): Promise<never> => {
    if (text !== 'COMMIT') return query(text, values);
    if (now.point === 'before') die();
    const answer = query(text);
    if (now.point === 'sent')
      setImmediate(() => {
        spin(Math.random() * now.ms);
        die();
      });
    const answered = await answer;
    if (now.point === 'answered') {
      spin(Math.random() * now.ms);
      die();
    }
    return answered;
  };
  client.query = dying as never;
  client.release();
  const invalidator = {
    bypass: <T>(fn: () => T): T => cache.bypass(fn),
    invalidate: async (...args: Parameters<typeof cache.invalidate>) => {
      const receipt = (cache.invalidate as (...it: unknown[]) => ReturnType<typeof cache.invalidate>)(...args);
      if (now.point === 'appending')
        setTimeout(() => {
          spin(Math.random() * now.ms);
          die();
        }, 0);
      return receipt;
    },
  };
  const own = carriers[carrier]?.carrier;
  const { transaction } = createTransactions(invalidator, own === undefined ? {} : { carrier: own });
  write = async (order) => {
    now = order;
    const sql = 'UPDATE item SET value = $2 WHERE id = $1';
    if (own !== undefined)
      return transaction(pool, async (tx) => {
        await tx.query(sql, [order.id, order.value]);
        tx.invalidate(key(...keyOf(order.id)));
      });
    const plain = await pool.connect();
    await plain.query('BEGIN');
    await plain.query(sql, [order.id, order.value]);
    await plain.query('COMMIT');
  };
  process.send?.({ type: 'ready' } satisfies Report);
}
