import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { key } from '../coherence/target.ts';
import { type Cache, createCache } from './cache.ts';
import { type HttpSessionOptions, httpSessions, SESSION_HEADER } from './http-session.ts';

let cache: Cache;
beforeEach(() => {
  cache = createCache({ name: 'test' });
});
afterEach(async () => {
  await cache.close();
});

/** Begins a request, answers it, and tells what then was set. */
function answered(headers: Record<string, string | string[]>, options?: HttpSessionOptions): unknown[] {
  const told: unknown[] = [];
  const response = {
    setHeader: (...header: unknown[]) => void told.push(header),
    writeHead: (...head: unknown[]) => void told.push(head),
  };
  const session = httpSessions(cache, options)({ headers }, response as never);
  expect(session.token).toBe(session.run(() => cache.sessionToken()));
  response.writeHead(200);
  return told;
}

describe('sessions over HTTP', () => {
  it('begin by the header and end with it, on Node’s own server', async () => {
    const begin = httpSessions(cache);
    const server = createServer((request, response) => {
      void begin(request, response).run(async () => {
        await cache.invalidate(key('k'));
        response.end(cache.sessionToken());
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const token = `1.${'a'.repeat(16)}.1`;
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { [SESSION_HEADER]: token } });
    expect(answer.headers.get(SESSION_HEADER)).toBe(`${token},${cache.mark()}`);
    expect(await answer.text()).toBe(`${token},${cache.mark()}`);
    server.close();
    server.closeAllConnections();
  });

  it('set no header where there is nothing to remember', () => {
    expect(answered({})).toEqual([[200]]);
  });

  it('take several headers for one, and one of another name where it is told so', () => {
    const [a, b] = [`1.${'a'.repeat(16)}.1`, `1.${'b'.repeat(16)}.1`];
    expect(answered({ [SESSION_HEADER]: [a, b] })).toEqual([[SESSION_HEADER, `${a},${b}`], [200]]);
    const header = 'X-Position-Of-Users';
    expect(answered({ 'x-position-of-users': a, [SESSION_HEADER]: b }, { header })).toEqual([
      ['x-position-of-users', a],
      [200],
    ]);
  });

  it('ask whether to heed a token', () => {
    const sent = { [SESSION_HEADER]: `1.${'a'.repeat(16)}.1` };
    expect(answered(sent, { trust: () => false })).toEqual([[200]]);
    expect(answered(sent, { trust: () => true })).toHaveLength(2);
  });

  it.each([
    [{ header: '' }, 'header: "" is no name of a header. Leave it out for tidemark-position.'],
    [{ header: 7 }, 'header: 7 is no name'],
    [{ Trust: true }, 'httpSessions: there is no option "Trust". Write trust.'],
    [{ trust: 'all' }, 'trust: "all" is no function'],
  ])('refuse %j', (options, message) => {
    expect(() => httpSessions(cache, options as never)).toThrow(message);
  });

  it('refuse what is no cache', () => {
    expect(() => httpSessions({ name: 'shop' } as never)).toThrow('is no cache. Give what createCache() returned.');
  });
});
