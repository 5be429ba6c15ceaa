import { fastify } from 'fastify';
import { Redis } from 'ioredis';
import { type InvalidationLog, key, type Part, type PartContext } from '../../src/index.ts';
import { tidemark } from '../../src/fastify/index.ts';
import { redis } from '../../src/redis/index.ts';
import type { Assignment } from './instance.ts';

type ById = { Params: { id: string }; Body: { value: number } };

process.once('message', ({ url, late }: Assignment) => void serve(url, late));
process.on('disconnect', () => process.exit(0));

/** A small service: numbered rows in a database, here another part of the same Redis, read through the cache. */
async function serve(url: string, late: number): Promise<void> {
  const database = new Redis(url);
  const parts = redis({ url });
  const app = fastify();
  const log = late === 0 ? parts.log : hearsLate(parts.log, late);
  await app.register(tidemark, { cache: { name: 'pairs', ...parts, log } });
  app.get<ById>('/rows/:id', ({ cache, params: { id } }) =>
    cache.getOrSet(['row', id], async () => Number(await database.get(`database:${id}`))),
  );
  app.put<ById>('/rows/:id', async ({ cache, params: { id }, body: { value } }) => {
    await database.set(`database:${id}`, value);
    return cache.invalidate(key('row', id));
  });
  const close = async (): Promise<void> => {
    await app.close();
    await database.quit();
    process.disconnect();
  };
  process.once('message', () => void close());
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  await app.tidemark.ready();
  process.send?.(Number(new URL(address).port));
}

/** A node that hears of records so many ms later than it could. */
function hearsLate(make: (context: PartContext) => InvalidationLog, ms: number): Part<InvalidationLog> {
  return (context) => {
    const log = make(context);
    const read = log.read.bind(log);
    log.read = async (after, options) => {
      const reading = await read(after, options);
      if (reading.records.length > 0) await new Promise<void>((resolve) => context.clock.schedule(ms, resolve));
      return reading;
    };
    return log;
  };
}
