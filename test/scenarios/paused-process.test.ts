import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Cache, createCache, key } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { Service } from './service.ts';

const MAX_LAG = 500;

let server: RedisServer;
let service: Service;
let writer: Cache;

beforeAll(async () => {
  server = await startRedis();
  service = new Service();
  await service.start(server.url, MAX_LAG);
  writer = createCache({ name: 'shop', maxLag: MAX_LAG, ...redis({ url: server.url }) });
  await writer.ready({ timeout: '15s' });
});

afterEach(() => service.signal('SIGCONT'));

afterAll(async () => {
  await writer.close();
  await service.stop();
  await server.stop();
});

it('a process that was stopped serves nothing on waking that was written more than maxLag ago', async () => {
  for (let version = 1; version <= 8; version += 2) {
    const row = 'a';
    expect(await service.read(row, version)).toBe(version);
    service.signal('SIGSTOP');
    const receipt = await writer.invalidate(key('row', row));
    expect(receipt.status).not.toBe('queued');
    const written = performance.now();
    await waitUntil(() => performance.now() - written > MAX_LAG + 50);
    // It lies there when the process wakes, perhaps before anything that its follower could have read.
    const read = service.read(row, version + 1);
    service.signal('SIGCONT');
    expect(await read).toBe(version + 1);
    // The next round begins with a version that it has to load.
    await writer.invalidate(key('row', row));
    await waitUntil(async () => (await service.read(row, version + 2)) === version + 2);
  }
}, 30_000);
