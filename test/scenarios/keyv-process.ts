import { createCache as createManager } from 'cache-manager';
import { Redis } from 'ioredis';
import { Keyv } from 'keyv';
import { createCache } from '../../src/index.ts';
import { KeyvTidemark } from '../../src/keyv/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { MAX_LAG, type Request } from './keyv-node.ts';

/** What a service has that uses cache-manager as its authors say, over a Keyv of ours. */
async function start(url: string) {
  const database = new Redis(url);
  const cache = createCache({ name: 'shop', maxLag: MAX_LAG, ...redis({ url }) });
  await cache.ready({ timeout: '20s' });
  const manager = createManager({ stores: [new Keyv({ store: new KeyvTidemark({ cache }) })] });
  /** Reads the row; then, where it is told to be slow, hands it over only when the gate is opened. */
  const load = async (row: string, gate: string | undefined): Promise<number> => {
    const version = Number((await database.hget('rows', row)) ?? 0);
    if (gate !== undefined) {
      await database.set(`${gate}:read`, 1);
      await waitUntil(() => database.exists(`${gate}:open`), { timeout: 15_000 });
    }
    return version;
  };
  const answer = async (request: Exclude<Request, { type: 'start' | 'stop' }>): Promise<number> => {
    switch (request.type) {
      case 'wrap':
        return manager.wrap(request.row, () => load(request.row, request.gate));
      case 'get':
        return (await manager.get<number>(request.row)) ?? -1;
      case 'raise': {
        const version = await database.hincrby('rows', request.row, 1);
        await manager.del(request.row);
        return version;
      }
      default:
        return request satisfies never;
    }
  };
  const stop = async (): Promise<void> => {
    await manager.disconnect();
    await cache.close();
    database.disconnect();
    process.disconnect();
  };
  return { answer, stop };
}

let started: Awaited<ReturnType<typeof start>> | undefined;

async function take(request: Request): Promise<void> {
  if (request.type === 'start') {
    started = await start(request.url);
    process.send?.(0);
  } else if (request.type === 'stop') await started?.stop();
  else process.send?.(await started?.answer(request));
}

process.on('disconnect', () => process.exit(0));
process.on('message', (request: Request) => {
  take(request).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
