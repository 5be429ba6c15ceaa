import { createCache, key } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import type { Answer, Request } from './service.ts';

/** A service with a cache of its own: it writes when it is told to, and hands out what its writes are known by. */
let cache: ReturnType<typeof createCache> | undefined;

function answer(message: Answer): void {
  process.send?.(message);
}

async function take(request: Request): Promise<void> {
  switch (request.type) {
    case 'start':
      cache = createCache({ name: 'shop', maxLag: request.maxLag, ...redis({ url: request.url }) });
      await cache.ready({ timeout: '20s' });
      return answer({ type: 'ready' });
    case 'write': {
      const receipt = await cache?.invalidate(key('row', request.row));
      return answer({ type: 'written', status: receipt?.status ?? 'queued', token: receipt?.token ?? '' });
    }
    case 'read': {
      const { row, version } = request;
      const value = (await cache?.getOrSet(['row', row], () => version)) ?? Number.NaN;
      return answer({ type: 'read', value });
    }
    case 'stop':
      await cache?.close();
      return process.disconnect();
    default:
      return request satisfies never;
  }
}

process.on('disconnect', () => process.exit(0));
process.on('message', (request: Request) => {
  take(request).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
