import pg from 'pg';
import { createCache } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import type { Assignment, Order, Report } from './message.ts';

let read: ((id: number, request: number) => Promise<void>) | undefined;
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  if (order.type === 'begin') void begin(order.assignment);
  if (order.type === 'read') void read?.(order.id, order.request);
});

async function begin({ database, redis: url }: Assignment): Promise<void> {
  const cache = createCache({ name: 'crash', ...redis({ url }) });
  const pool = new pg.Pool({ connectionString: database });
  const item = cache.query({
    name: 'item',
    load: async (id: number) => {
      const { rows } = await pool.query<{ value: number }>('SELECT value FROM item WHERE id = $1', [id]);
      return rows[0]?.value ?? -1;
    },
    ttl: '1h',
  });
  await cache.ready({ timeout: '1m' });
  read = async (id, request) => {
    const { value, from } = await item.read(id);
    process.send?.({ type: 'read', request, value, from } satisfies Report);
  };
  process.send?.({ type: 'ready' } satisfies Report);
}
