import pg from 'pg';
import { createCache, key } from 'tidemark';
import { createTransactions, migrate } from 'tidemark/postgres';
import type { Question, Row } from '../question.ts';
import { median } from '../statistics.ts';
import { startServer } from './server.ts';

/** Of each sample, for all clients together. */
const TRANSACTIONS = 400;
const WARM_UP = 2_000;
/** Each client has rows of its own: nobody waits for a lock. */
const ROWS = 100;

const PLAIN = 'BEGIN, UPDATE, COMMIT';

type Write = (pool: pg.Pool, id: number) => Promise<unknown>;

/** The question for so many clients at once. */
export function transactionQuestion(clients: number): Question {
  const at = clients === 1 ? 'One client.' : `${clients} clients at once: one at a time may commit while it notifies.`;
  return {
    title: `A transaction of one update, ${clients === 1 ? 'one client' : `${clients} clients`}`,
    asks: `How long does a transaction of one UPDATE take (pg.Pool, the median), without us, and with a target that is invalidated after its commit? The log is in this process, the database waits for its disk. ${at}`,
    unit: 'µs',
    repeat: { starts: 1, rounds: 5 },
    rows: [
      row(PLAIN, clients, () => plain),
      row('carrier none', clients, (pool) => invalidating(pool, { carrier: 'none' })),
      row('outbox without notification', clients, (pool) => invalidating(pool, { notify: false })),
      row('outbox', clients, (pool) => invalidating(pool, {})),
      row('message in the log (wal)', clients, (pool) => invalidating(pool, { carrier: 'wal' })),
    ],
    against: [PLAIN],
  };
}

function row(name: string, clients: number, prepareWrite: (pool: pg.Pool) => Write | Promise<Write>): Row {
  return {
    name,
    async prepare() {
      const pool = new pg.Pool({ connectionString: await startServer(), max: clients });
      await pool.query('CREATE TABLE rows (id int PRIMARY KEY, value int)');
      await pool.query(`INSERT INTO rows SELECT id, 0 FROM generate_series(0, ${clients * ROWS - 1}) id`);
      const write = await prepareWrite(pool);
      const sample = async (count: number): Promise<number> => {
        const times: number[] = [];
        const client = async (own: number): Promise<void> => {
          for (let i = 0; i < count / clients; i++) {
            const since = performance.now();
            await write(pool, own * ROWS + (i % ROWS));
            times.push(performance.now() - since);
          }
        };
        await Promise.all(Array.from({ length: clients }, (_, own) => client(own)));
        return median(times) * 1_000;
      };
      await sample(WARM_UP);
      return () => sample(TRANSACTIONS);
    },
  };
}

async function plain(pool: pg.Pool, id: number): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('UPDATE rows SET value = value + 1 WHERE id = $1', [id]);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

async function invalidating(pool: pg.Pool, options: Parameters<typeof createTransactions>[1]): Promise<Write> {
  await migrate(pool);
  const cache = createCache({ name: 'bench' });
  await cache.ready();
  const { transaction } = createTransactions(cache, options);
  return (_, id) =>
    transaction(pool, async (tx) => {
      await tx.query('UPDATE rows SET value = value + 1 WHERE id = $1', [id]);
      tx.invalidate(key('row', id));
    });
}
