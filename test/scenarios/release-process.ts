import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Cache, createCache, type Query } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import type { Answer, Request } from './release.ts';

/** The database: prices in cents, in a hash. */
const PRICES = 'prices';

interface Started {
  readonly cache: Cache;
  readonly database: Redis;
  readonly price: Query<[string], unknown>;
}

let started: Started | undefined;
let loads = 0;

async function start({ url, maxLag, release, slow }: Extract<Request, { type: 'start' }>): Promise<Answer> {
  const database = new Redis(url);
  const cache = createCache({ name: 'shop', maxLag, ...redis({ url }) });
  const load = async (item: string): Promise<number> => {
    loads++;
    const cents = Number((await database.hget(PRICES, item)) ?? 0);
    await pause(slow);
    return cents;
  };
  const euros = (cents: number): unknown => ({ euros: cents / 100, text: `EUR ${cents / 100}` });
  const price: Query<[string], unknown> =
    release === 1
      ? cache.query({ name: 'price', load: async (item: string): Promise<unknown> => ({ cents: await load(item) }) })
      : cache.query({
          name: 'price',
          version: 2,
          migrate: { 1: (old: { cents: number }) => euros(old.cents) },
          load: async (item: string): Promise<unknown> => euros(await load(item)),
        });
  await cache.ready({ timeout: '20s' });
  started = { cache, database, price };
  return 'ready';
}

async function take(request: Exclude<Request, { type: 'start' | 'stop' }>, { cache, database, price }: Started) {
  switch (request.type) {
    case 'raise': {
      const cents = await database.hincrby(PRICES, request.item, 1);
      const { status, token } = await cache.invalidate(price.at(request.item));
      return { cents, status, token };
    }
    case 'read': {
      const query = request.atLeast === undefined ? price : price.with({ atLeast: request.atLeast });
      const { value, from } = await query.read(request.item);
      return { value, from };
    }
    case 'loads':
      return loads;
    default:
      return request satisfies never;
  }
}

async function answer(request: Request): Promise<void> {
  if (request.type === 'start') return void process.send?.(await start(request));
  if (started === undefined) throw new Error(`It is to be started before: ${request.type}`);
  if (request.type !== 'stop') return void process.send?.(await take(request, started));
  await started.cache.close();
  started.database.disconnect();
  process.disconnect();
}

process.on('disconnect', () => process.exit(0));
process.on('message', (request: Request) => {
  answer(request).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
