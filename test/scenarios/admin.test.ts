import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { OnModuleDestroy } from '@nestjs/common';
import express from 'express';
import { fastify } from 'fastify';
import { type Cache, createCache, tag } from 'tidemark';
import { type Admin, createAdmin } from 'tidemark/admin';
import { tidemarkAdmin } from 'tidemark/fastify';
import { createOperations, type Operations } from 'tidemark/operations';
import { waitUntil } from 'tidemark/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNest, type Platform } from '../servers/nest-app.ts';

const READER = 'reader-token-0123456789';
const OPERATOR = 'operator-token-0123456789';

let cache: Cache;
let operations: Operations;
let admin: Admin;
beforeEach(() => {
  cache = createCache({ name: 'shop' });
  operations = createOperations(cache, { sampler: false });
  admin = createAdmin(operations, { access: { tokens: { reader: READER, operator: OPERATOR } } });
});
afterEach(async () => {
  await admin.close();
  await operations.close();
  await cache.close();
});

/** An application that has the API below `/ops`, listening. */
interface Mounted {
  readonly url: string;
  /** Ends the application as its users end it. */
  close(): Promise<void>;
}

async function listening(server: Server): Promise<Mounted> {
  if (!server.listening) await once(server, 'listening');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    await admin.close();
    server.closeIdleConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ops`, close };
}

async function onNest(platform: Platform): Promise<Mounted> {
  class Ops implements OnModuleDestroy {
    onModuleDestroy(): Promise<void> {
      return admin.close();
    }
  }
  const app = await createNest({ providers: [Ops] }, platform);
  app.use('/ops', admin.listener);
  await app.listen(0, '127.0.0.1');
  return { url: `${(await app.getUrl()).replace(/\/$/, '')}/ops`, close: () => app.close() };
}

const frameworks: Readonly<Record<string, () => Promise<Mounted>>> = {
  'node:http': () => listening(createServer(admin.listenerAt('/ops')).listen(0, '127.0.0.1')),
  Express: () => listening(express().use('/ops', admin.listener).listen(0, '127.0.0.1')),
  'Express, its body parser first': () =>
    listening(express().use(express.json()).use('/ops', admin.listener).listen(0, '127.0.0.1')),
  Fastify: async () => {
    const app = fastify();
    await app.register(tidemarkAdmin, { prefix: '/ops', admin });
    return { url: `${await app.listen({ port: 0, host: '127.0.0.1' })}/ops`, close: () => app.close() };
  },
  'NestJS on Express': () => onNest('Express'),
  'NestJS on Fastify': () => onNest('Fastify'),
};

describe.each(Object.keys(frameworks))('%s', (name) => {
  let mounted: Mounted | undefined;
  let url: string;
  beforeEach(async () => {
    mounted = await (frameworks[name] as () => Promise<Mounted>)();
    ({ url } = mounted);
  });
  afterEach(async () => {
    await mounted?.close();
    mounted = undefined;
  });

  const ask = async (path: string, token = '', body?: string) =>
    fetch(url + path, {
      headers: {
        connection: 'close',
        ...(token !== '' && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { method: 'POST', body }),
    });
  const invalidate = '/api/system/cache/invalidate';

  it('answers below its base path, and nobody who is not let in', async () => {
    const health = await ask('/admin/cache/health', READER);
    expect([health.status, await health.json()]).toMatchObject([200, { status: expect.any(String) }]);
    expect((await ask('/admin/cache/keys?prefix=a%2F..%2Fb%5C%3A', READER)).status).toBe(200);
    expect([(await ask('/livez')).status, await (await ask('/livez')).json()]).toEqual([200, { ok: true }]);
    for (const path of ['/admin/cache/health', '/nowhere', '/..%2f..%2fadmin'])
      expect([path, (await ask(path)).status]).toEqual([path, 401]);
    expect((await ask('/nowhere', READER)).status).toBe(404);
  });

  it('changes what an operator says, and reads no more than it may', async () => {
    await cache.getOrSet('user:42', () => 1, { tags: ['org:7'] });
    const done = await ask(invalidate, OPERATOR, '{"tags":["org:7"]}');
    expect([done.status, await done.json()]).toEqual([200, { status: 'applied', token: cache.mark() }]);
    expect(await cache.get('user:42')).toBe(undefined);
    expect((await ask(invalidate, READER, '{"everything":true}')).status).toBe(403);
    expect((await ask(invalidate, OPERATOR, '{"everything":')).status).toBe(400);
    const oversized = await ask(invalidate, OPERATOR, JSON.stringify({ tags: ['x'.repeat(90_000)] }));
    expect(oversized.status).toBe(413);
    expect(operations.metrics().invalidations.total).toBe(1);
  });

  it('streams until the application ends', async () => {
    const response = await ask('/admin/cache/stream?types=applied', READER);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await cache.invalidate(tag('org:7'));
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toMatch(/^event: applied\ndata: .*"tag org:7"/);
    await mounted?.close();
    mounted = undefined;
    expect(await reader.read()).toMatchObject({ done: true });
  });
});

describe('1,000 clients of the stream that read nothing', () => {
  it('hold up neither one another nor the cache, and cost a bounded amount of memory', async () => {
    const access = { tokens: { reader: READER } };
    const admin = createAdmin(operations, { access, rate: false });
    const server = createServer(admin.listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const head = `GET /admin/cache/stream?types=applied HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${READER}\r\n\r\n`;
    const sockets: Socket[] = [];
    const slow = async (): Promise<void> => {
      const socket = connect(port, '127.0.0.1').pause();
      sockets.push(socket);
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(head);
    };
    try {
      for (let i = 0; i < 10; i++) await Promise.all(Array.from({ length: 100 }, slow));
      await waitUntil(() => refused(port), { timeout: 20_000, what: '1,000 clients' });
      const before = process.memoryUsage();
      // Each record is about 10 KB on the wire: without bounds, 1,000 clients would be sent 20 GB.
      const targets = Array.from({ length: 100 }, (_, i) => tag(`${i}:${'x'.repeat(80)}`));
      const began = performance.now();
      for (let i = 0; i < 2_000; i++) await cache.invalidate(targets);
      const each = (performance.now() - began) / 2_000;
      const after = process.memoryUsage();
      const grown = (after.rss - before.rss) / 1_048_576;
      expect(grown).toBeLessThan(400);
      expect(each).toBeLessThan(100);
      // Whoever reads is told, and the others are told what they have missed once they read.
      const [first] = sockets as [Socket];
      let text = '';
      first.on('data', (chunk: Buffer) => (text += chunk.toString()));
      first.resume();
      await waitUntil(() => /event: dropped\ndata: \{"dropped":\d+\}/.test(text), { timeout: 20_000 });
      const health = await fetch(`http://127.0.0.1:${port}/livez`, { headers: { connection: 'close' } });
      expect(health.status).toBe(200);
    } finally {
      for (const socket of sockets) socket.destroy();
      await waitUntil(async () => !(await refused(port)), { timeout: 20_000, what: 'places to be free again' });
      server.close();
      await admin.close();
      server.closeAllConnections();
    }
  }, 90_000);
});

/** Whether there is no place for one more client. */
async function refused(port: number): Promise<boolean> {
  const headers = { authorization: `Bearer ${READER}` };
  const asking = request({ port, host: '127.0.0.1', path: '/admin/cache/stream?types=applied', headers, agent: false });
  asking.end();
  const [{ statusCode }] = (await once(asking, 'response')) as [{ statusCode: number }];
  asking.destroy();
  return statusCode === 503;
}
