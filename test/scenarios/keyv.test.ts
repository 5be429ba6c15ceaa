import { CacheInterceptor, CacheModule } from '@nestjs/cache-manager';
import { Controller, Get, type INestApplication, Module, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Keyv } from 'keyv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cache, createCache } from '../../src/index.ts';
import { KeyvTidemark } from '../../src/keyv/index.ts';
import { redis } from '../../src/redis/index.ts';
import { Gate } from '../../src/testing/gate.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { emptiedRedis } from '../servers/emptied-redis.ts';
import { type KeyvNode, MAX_LAG, startKeyvNode } from './keyv-node.ts';

const PATIENT = { timeout: 15_000 };

const shared = emptiedRedis();
let nodes: KeyvNode[] = [];

afterEach(async () => {
  await Promise.all(nodes.map((node) => node.end({ type: 'stop' })));
  nodes = [];
});

async function start(): Promise<KeyvNode> {
  const node = await startKeyvNode(shared.server.url);
  nodes.push(node);
  return node;
}

describe('cache-manager over a Keyv, in two processes', { timeout: 60_000 }, () => {
  it('never keeps what a slow load has read before the other process has deleted the key', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    for (let round = 0; round < 15; round++) {
      const [row, gate] = [`row:${round % 3}`, `gate:${round}`];
      const wrapped = a.ask({ type: 'wrap', row, gate });
      await waitUntil(() => shared.admin.exists(`${gate}:read`), PATIENT);
      const raised = await b.ask({ type: 'raise', row });
      await shared.admin.set(`${gate}:open`, 1);
      expect(await wrapped).toBe(raised - 1);
      // On the node that wrote, at once; on the one that loaded, within a message's time.
      expect(await b.ask({ type: 'get', row })).toBe(-1);
      await waitUntil(async () => (await a.ask({ type: 'get', row })) === -1, { timeout: MAX_LAG });
      expect(await b.ask({ type: 'wrap', row })).toBe(raised);
      expect(await a.ask({ type: 'wrap', row })).toBe(raised);
      await b.ask({ type: 'raise', row });
      await waitUntil(async () => (await a.ask({ type: 'get', row })) === -1, { timeout: MAX_LAG });
    }
  });
});

/** Handlers that read, and answer when they are told to. */
const handler = { version: 0, gates: [] as Gate[], calls: 0 };

@Controller()
@UseInterceptors(CacheInterceptor)
class Rows {
  @Get('row')
  async row(): Promise<{ version: number }> {
    const { version } = handler;
    const gate = handler.gates[handler.calls++];
    await gate?.promise;
    return { version };
  }
}

describe('NestJS’ CacheInterceptor over a Keyv', { timeout: 60_000 }, () => {
  let cache: Cache;
  let app: INestApplication;
  let url: string;

  beforeEach(async () => {
    Object.assign(handler, { version: 1, gates: [], calls: 0 });
    cache = createCache({ name: 'shop', maxLag: MAX_LAG, ...redis({ url: shared.server.url }) });
    await cache.ready();
    const stores = [new Keyv({ store: new KeyvTidemark({ cache }) })];
    @Module({ imports: [CacheModule.register({ stores })], controllers: [Rows] })
    class App {}
    app = await NestFactory.create(App, { logger: false });
    await app.listen(0, '127.0.0.1');
    url = `${await app.getUrl()}/row`;
  });

  afterEach(async () => {
    await app.close();
    await cache.close();
  });

  const read = async (): Promise<readonly [unknown, string | null]> => {
    const response = await fetch(url);
    const { version } = (await response.json()) as { version: unknown };
    return [version, response.headers.get('x-cache')];
  };

  it('keeps what it has, and the other process’ delete reaches it', async () => {
    const other = await start();
    expect(await read()).toEqual([1, 'MISS']);
    await waitUntil(async () => (await read())[1] === 'HIT');
    handler.version = 2;
    await other.ask({ type: 'raise', row: '/row' });
    await waitUntil(async () => (await read())[0] === 2, { timeout: MAX_LAG });
  });

  it('never keeps the answer of a request that has read before the other process has deleted it', async () => {
    const other = await start();
    handler.gates = [new Gate(), new Gate()];
    const slow = read();
    await waitUntil(() => handler.calls === 1);
    handler.version = 2;
    const before = cache.status().position;
    await other.ask({ type: 'raise', row: '/row' });
    await waitUntil(() => cache.status().position !== before, PATIENT);
    // Another request, which finds nothing either, and reads the new version: what the first one sets must not pass for its.
    const quick = read();
    await waitUntil(() => handler.calls === 2);
    handler.gates[0]?.open();
    expect(await slow).toEqual([1, 'MISS']);
    expect(await read()).toEqual([2, 'MISS']);
    handler.gates[1]?.open();
    expect(await quick).toEqual([2, 'MISS']);
    await waitUntil(async () => (await read())[1] === 'HIT', PATIENT);
    expect(await read()).toEqual([2, 'HIT']);
    expect(await other.ask({ type: 'get', row: '/row' })).not.toMatchObject({ version: 1 });
  });
});
