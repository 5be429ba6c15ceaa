import { createCache, key } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';

/** What the writer is told to announce. */
export interface Order {
  readonly url: string;
  /** In ms. */
  readonly maxLag: number;
  readonly id: string;
  readonly row: string;
}

/** A strict writer that announces, says so, and then waits to be killed: whether it has committed nobody can tell by it. */
async function announce({ url, maxLag, id, row }: Order): Promise<void> {
  const cache = createCache({ name: 'shop', maxLag, strict: true, ...redis({ url }) });
  await cache.announce([key('row', row)], { id, timeout: '20s' });
  process.send?.('announced');
}

process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  announce(order).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
