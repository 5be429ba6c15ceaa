import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cache, createCache } from '../cache/cache.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { createOperations, type Operations } from '../operations/index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { type Admin, createAdmin } from './admin.ts';
import type { AdminOptions } from './admin-options.ts';
import type { AuditEntry } from './audit.ts';

const READER = 'reader-token-0123456789';
const OPERATOR = 'operator-token-0123456789';
const SECRET = 'the-cached-secret';

let clock: FakeClock;
let cache: Cache;
let operations: Operations;
let admin: Admin;
let audited: AuditEntry[];
let logged: [fields: Record<string, unknown>, message: string][];

async function open(options: Partial<AdminOptions> = {}, parts: Partial<CacheOptions> = {}): Promise<void> {
  const log = (fields: object, message: string): void => void logged.push([fields as Record<string, unknown>, message]);
  const logger = { debug: () => {}, info: log, warn: log, error: log };
  clock = new FakeClock();
  cache = createCache({ name: 'shop', log: memoryLog(), clock, logger, ...parts });
  operations = createOperations(cache);
  admin = createAdmin(operations, {
    access: { tokens: { reader: READER, operator: { ada: OPERATOR } } },
    onAudit: (entry) => audited.push(entry),
    ...options,
  });
}

async function close(): Promise<void> {
  await admin.close();
  await operations.close();
  await cache.close();
}

beforeEach(() => {
  [audited, logged] = [[], []];
  return open();
});
afterEach(close);

interface Asked {
  readonly token?: string | undefined;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly address?: string;
}

async function ask(path: string, { token = OPERATOR, method, body, headers, address = '10.0.0.1' }: Asked = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const request = new Request(`http://localhost${path}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: text }),
  });
  const response = await admin.fetch(request, { address });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const json = async (path: string, asked?: Asked) => {
  const { status, text } = await ask(path, asked);
  return { status, body: JSON.parse(text) as Record<string, unknown> };
};

const INVALIDATE = '/api/system/cache/invalidate';

describe('who may', () => {
  it.each(['/admin/cache/health', '/', '/nowhere', '/admin/cache/../x', '/livez/', '/api/system/cache/invalidate'])(
    'a stranger is told the same of %s as of any other path',
    async (path) => {
      const about = async (it: string, asked: Asked) => {
        const { status, headers, text } = await ask(it, asked);
        return { status, headers: [...headers], text };
      };
      const nowhere = await about('/not/there', { token: '' });
      expect(nowhere.status).toBe(401);
      expect(new Headers(nowhere.headers).get('www-authenticate')).toMatch(/^Bearer/);
      expect(await about(path, { token: '' })).toEqual(nowhere);
      expect(await about(path, { token: 'wrong-token-0123456789' })).toEqual(nowhere);
      expect(await about(path, { token: '', body: { everything: true } })).toEqual(nowhere);
    },
  );

  it('a reader reads, and changes nothing', async () => {
    expect((await ask('/admin/cache/health', { token: READER })).status).toBe(200);
    const { body, status } = await json(INVALIDATE, { token: READER, body: { everything: true } });
    expect({ status, body }).toEqual({
      status: 403,
      body: { error: { code: 'FORBIDDEN', message: expect.any(String) } },
    });
    expect(operations.metrics().invalidations.total).toBe(0);
    expect(audited).toMatchObject([{ who: 'reader', role: 'reader', outcome: 'denied', address: '10.0.0.1' }]);
  });

  it('a token in the address is none', async () => {
    expect((await ask(`/admin/cache/health?token=${READER}`, { token: '' })).status).toBe(401);
    expect((await ask(`/admin/cache/health?access_token=${READER}`, { token: '' })).status).toBe(401);
  });

  it('there is no API without a rule', () => {
    expect(() => createAdmin(operations, {} as never)).toThrow(/access: undefined is no rule/);
    expect(() => createAdmin(operations, undefined as never)).toThrow(/access: undefined is no rule/);
    expect(() => createAdmin(operations, { acess: 1 } as never)).toThrow(/no option "acess"/);
  });

  it('a rule that fails admits nobody, and says nothing', async () => {
    await close();
    await open({ access: () => Promise.reject(new Error('ldap://secret@host')) });
    const { status, body } = await json('/admin/cache/health');
    expect({ status, body }).toMatchObject({ status: 500, body: { error: { code: 'INTERNAL' } } });
    expect(JSON.stringify(body)).not.toContain('ldap');
    expect(logged.some(([fields]) => fields['event'] === 'cache_admin_failed')).toBe(true);
  });
  it('a probe needs no token, and tells strangers only whether', async () => {
    for (const path of ['/livez', '/readyz']) {
      expect(await json(path, { token: '' })).toEqual({ status: 200, body: { ok: true } });
      expect(await json(path, { token: 'wrong-token-0123456789' })).toEqual({ status: 200, body: { ok: true } });
      expect(await json(path, { token: READER })).toEqual({ status: 200, body: { ok: true, reasons: [] } });
    }
    // Whoever is not let in elsewhere is not kept from them.
    for (let i = 0; i < 100; i++) await ask('/x', { token: '' });
    expect((await ask('/livez', { token: '' })).status).toBe(200);
  });
});

describe('how often', () => {
  it('a caller is limited, and told for how long', async () => {
    await close();
    await open({ rate: { requests: 3 } });
    for (let i = 0; i < 3; i++) expect((await ask('/admin/cache/health')).status).toBe(200);
    const { status, headers } = await ask('/admin/cache/health');
    expect([status, headers.get('retry-after')]).toEqual([429, '20']);
    expect((await ask('/admin/cache/health', { token: READER })).status).toBe(200); // another one
    await clock.advance(20_000);
    expect((await ask('/admin/cache/health')).status).toBe(200);
  });

  it('strangers are limited sooner, each address for itself, and keep nobody else out', async () => {
    for (let i = 0; i < 30; i++) expect((await ask('/x', { token: '' })).status).toBe(401);
    expect((await ask('/x', { token: '' })).status).toBe(429);
    expect((await ask('/x', { token: 'wrong-token-0123456789' })).status).toBe(429);
    expect((await ask('/x', { token: '', address: '10.0.0.2' })).status).toBe(401);
    expect((await ask('/admin/cache/health')).status).toBe(200);
  });

  it('addresses may come from a proxy', async () => {
    await close();
    await open({ rate: { failures: 1 }, address: (request) => request.headers.get('x-real-ip') });
    const from = (ip: string) => ask('/x', { token: '', headers: { 'x-real-ip': ip } });
    expect([(await from('1')).status, (await from('1')).status, (await from('2')).status]).toEqual([401, 429, 401]);
  });

  it('a rule for addresses that throws refuses the request, and rejects nothing', async () => {
    await close();
    await open({
      address: () => {
        throw new Error('no proxy');
      },
    });
    expect((await ask('/livez')).status).toBe(500);
    expect(logged.some(([, message]) => message.includes('could not be answered'))).toBe(true);
  });

  it('may be unlimited', async () => {
    await close();
    await open({ rate: false });
    for (let i = 0; i < 700; i++) expect((await ask('/x', { token: '' })).status).toBe(401);
  });
});

describe('what is sent', () => {
  it.each([
    ['not JSON', '{ keys: [', 400, 'INVALID_REQUEST'],
    ['not UTF-8', '\u0000', 400, 'INVALID_REQUEST'],
    ['nothing', '', 400, 'INVALID_REQUEST'],
    ['a list', '[]', 400, 'INVALID_REQUEST'],
    ['null', 'null', 400, 'INVALID_REQUEST'],
    ['no target', '{}', 400, 'INVALID_TARGET'],
    ['an unknown field', '{"everything":true,"force":true}', 400, 'INVALID_REQUEST'],
    ['everything: false', '{"everything":false}', 400, 'INVALID_REQUEST'],
    ['keys that are no list', '{"keys":"user:42"}', 400, 'INVALID_REQUEST'],
    ['an object as a segment', '{"keys":[["user",{"$ne":1}]]}', 400, 'INVALID_REQUEST'],
    ['an empty key', '{"keys":[""]}', 400, 'INVALID_KEY'],
    ['half of a surrogate pair', '{"keys":["a\\ud800"]}', 400, 'INVALID_KEY'],
    ['a key that is too deep', JSON.stringify({ keys: [Array(20).fill('a')] }), 400, 'INVALID_KEY'],
    ['a key that is too long', JSON.stringify({ keys: ['a'.repeat(2_000)] }), 400, 'INVALID_KEY'],
    ['a tag with control characters', '{"tags":["a\\nb"]}', 400, 'INVALID_TAG'],
    ['a pattern of everything', '{"patterns":["*"]}', 400, 'INVALID_PATTERN'],
    ['a field that is no text', '{"everything":true,"fields":{"a":1}}', 400, 'INVALID_REQUEST'],
    ['a prototype', '{"__proto__":{"everything":true}}', 400, 'INVALID_REQUEST'],
    ['deep nesting', `{"keys":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400, 'INVALID_REQUEST'],
    ['too much', JSON.stringify({ tags: ['x'.repeat(70_000)] }), 413, 'TOO_LARGE'],
  ])('%s is refused, and nothing is done', async (_what, body, status, code) => {
    const answer = await json(INVALIDATE, { body });
    expect(answer).toEqual({ status, body: { error: { code, message: expect.any(String) } } });
    expect(JSON.stringify(answer.body).length).toBeLessThan(1_000);
    expect(operations.metrics().invalidations.total).toBe(0);
    expect(audited).toMatchObject([{ who: 'ada', outcome: 'failed', result: code }]);
  });

  it.each([
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-type': '' }, 415],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 415],
    [{ 'content-encoding': 'gzip' }, 415],
    [{ 'content-type': 'application/json; charset=utf-8' }, 200],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'https://ops.example', host: 'ops.example' }, 200],
  ])('with %j it is %i', async (headers, status) => {
    expect((await ask(INVALIDATE, { body: { tags: ['a'] }, headers })).status).toBe(status);
  });

  it('a body that is longer than it says is not kept', async () => {
    let pulled = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled++;
        controller.enqueue(Buffer.alloc(16_384, ' '));
      },
    });
    const headers = { authorization: `Bearer ${OPERATOR}`, 'content-type': 'application/json' };
    const init = { method: 'POST', body, headers, duplex: 'half' };
    const response = await admin.fetch(new Request(`http://localhost${INVALIDATE}`, init as RequestInit));
    expect([response.status, response.headers.get('connection')]).toEqual([413, 'close']);
    expect(pulled).toBeLessThan(10);
  });

  it('a body that does not come is not waited for', async () => {
    const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(Buffer.from('{')) });
    const headers = { authorization: `Bearer ${OPERATOR}`, 'content-type': 'application/json' };
    const init = { method: 'POST', body, headers, duplex: 'half' };
    const answer = admin.fetch(new Request(`http://localhost${INVALIDATE}`, init as RequestInit));
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await clock.advance(10_001);
    expect((await answer).status).toBe(408);
  });

  it.each([
    ['/admin/cache/keys?most=0', 400],
    ['/admin/cache/keys?most=1001', 400],
    ['/admin/cache/keys?most=many', 400],
    ['/admin/cache/keys?most=1&most=2', 400],
    ['/admin/cache/keys?tier=disk', 400],
    ['/admin/cache/keys?from=1', 400],
    ['/admin/cache/keys?Prefix=a', 400],
    ['/admin/cache/keys?__proto__=a', 400],
    ['/admin/cache/keys?tier=store', 404],
    ['/admin/cache/server', 404],
    ['/metrics', 404],
    ['/admin/cache/entry', 400],
    ['/admin/cache/entry?key=', 400],
    ['/admin/cache/stream?types=hit', 400],
    ['/admin/cache/records?before=0', 400],
    ['/nowhere', 404],
    ['/admin/cache/health/', 404],
    ['/api/system/%6detrics/cache', 404],
    ['/api//system/metrics/cache', 404],
    ['/API/system/metrics/cache', 404],
    ['/admin/cache/health%00', 404],
    ['/constructor', 404],
    ['/__proto__', 404],
  ])('%s is %i', async (path, status) => {
    const { status: told, text } = await ask(path);
    expect(told).toBe(status);
    expect(JSON.parse(text)).toEqual({ error: { code: expect.any(String), message: expect.any(String) } });
  });

  it('a key that is not UTF-8 is one of replacement characters, which nothing is kept under', async () => {
    const { status, body } = await json('/admin/cache/entry?key=%ED%A0%80');
    expect({ status, body }).toMatchObject({ status: 200, body: { inspection: { entries: [] } } });
  });

  it.each(['DELETE', 'PUT', 'POST', 'PATCH', 'OPTIONS'])('%s is not for what is only read', async (method) => {
    const { status, headers } = await ask('/admin/cache/health', { method });
    expect([status, headers.get('allow')]).toEqual([405, 'GET']);
  });

  it('HEAD is GET without a body', async () => {
    const { status, text, headers } = await ask('/admin/cache/health', { method: 'HEAD' });
    expect([status, text, headers.get('content-type')]).toEqual([200, '', 'application/json']);
    expect((await ask('/admin/cache/stream', { method: 'HEAD' })).status).toBe(200);
  });

  it('nothing is kept on the way, nor taken for something else', async () => {
    for (const path of ['/livez', '/nowhere', '/admin/cache/health', '/admin/cache/openapi.json'])
      for (const token of ['', READER]) {
        const { headers } = await ask(path, { token });
        expect(headers.get('cache-control')).toBe('no-store');
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('access-control-allow-origin')).toBe(null);
      }
  });
});

describe('pages of other origins', () => {
  const origin = 'https://ops.example';

  it('are told nothing by default', async () => {
    const { status, headers } = await ask('/admin/cache/health', {
      method: 'OPTIONS',
      token: '',
      headers: { origin },
    });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([401, null]);
  });

  it('may ask where they are listed', async () => {
    await close();
    await open({ origins: [origin] });
    const preflight = await ask(INVALIDATE, { method: 'OPTIONS', token: '', headers: { origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization, content-type');
    const answer = await ask(INVALIDATE, { body: { tags: ['a'] }, headers: { origin } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    const other = await ask('/admin/cache/health', { headers: { origin: 'https://evil.example' } });
    expect([other.headers.get('access-control-allow-origin'), other.headers.get('vary')]).toEqual([null, 'origin']);
  });

  it.each(['*', 'ops.example', 'https://ops.example/', 'https://ops.example/path', 7])('%j is no origin', (it) => {
    const access = { tokens: { reader: READER } };
    expect(() => createAdmin(operations, { access, origins: [it as string] })).toThrow(/is not an origin/);
  });
});

describe('what is changed', () => {
  it('covers keys, tags and patterns, and says who it was to every node', async () => {
    for (const key of ['user:42', 'user:43', 'a:b']) await cache.getOrSet(key, () => key, { tags: [`tag ${key}`] });
    const body = {
      keys: [['user', 42]],
      tags: ['tag user:43'],
      patterns: ['a:*'],
      event: 'cleaned',
      fields: { by: 'eve', org: 'ORG1' },
    };
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const answer = await json(INVALIDATE, { body, headers: { traceparent: trace } });
    expect(answer).toEqual({ status: 200, body: { status: 'applied', token: cache.mark() } });
    for (const key of ['user:42', 'user:43', 'a:b']) expect(await cache.get(key)).toBe(undefined);
    const told = await json('/admin/cache/records?most=1');
    expect(told.body['records']).toMatchObject([
      {
        ...{ kind: 'invalidate', targets: ['key user:42', 'tag tag user:43', 'pattern a:*'], appliedAt: clock.wall() },
        cause: { event: 'cleaned', fields: { by: 'ada', org: 'ORG1' }, trace },
      },
    ]);
    expect(audited).toEqual([
      {
        ...{ at: clock.wall(), who: 'ada', role: 'operator', address: '10.0.0.1', action: `POST ${INVALIDATE}` },
        ...{ outcome: 'done', request: { ...body, acknowledged: 'here' }, result: answer.body },
      },
    ]);
    const line = logged.find(([fields]) => fields['event'] === 'cache_admin');
    expect(line).toEqual([{ event: 'cache_admin', ...audited[0] }, `cache_admin: ada POST ${INVALIDATE} done`]);
  });

  it('everything, everywhere', async () => {
    await cache.getOrSet('a', () => 1);
    const { status, body } = await json(INVALIDATE, { body: { everything: true, acknowledged: 'everywhere' } });
    expect({ status, body }).toMatchObject({ status: 200, body: { everywhere: true } });
    expect(await cache.get('a')).toBe(undefined);
  });

  it('counts begin anew', async () => {
    await cache.getOrSet('a', () => 1);
    expect(operations.metrics().total.loads).toBe(1);
    await clock.advance(5);
    expect(await json('/api/system/cache/reset-metrics', { method: 'POST' })).toEqual({
      ...{ status: 200, body: { since: clock.wall() } },
    });
    expect(operations.metrics().total.loads).toBe(0);
    expect(audited).toMatchObject([{ action: 'POST /api/system/cache/reset-metrics', outcome: 'done' }]);
  });

  it('a listener to the audit that fails stops nothing', async () => {
    await close();
    await open({
      onAudit: () => {
        throw new Error('disk full');
      },
    });
    expect((await ask(INVALIDATE, { body: { tags: ['a'] } })).status).toBe(200);
    expect(logged.some(([, message]) => message.includes('onAudit has thrown'))).toBe(true);
  });
});

describe('what is shown', () => {
  it('keys of memory, by prefix, the most recently used first', async () => {
    for (const key of ['user:1', 'user:2', 'users', ['user', 'a:b']]) await cache.getOrSet(key, () => 1);
    expect((await json('/admin/cache/keys?prefix=user')).body).toEqual({
      ...{ tier: 'memory', keys: ['user:a\\:b', 'user:2', 'user:1'], more: false },
    });
    expect((await json('/admin/cache/keys?most=2')).body).toMatchObject({ keys: ['user:a\\:b', 'users'], more: true });
  });

  it.each([
    '../../etc/passwd',
    'a/b?c=d#e&f',
    '%2e%2e%2f',
    'ü 😀',
    "'; DROP TABLE x; --",
    '<script>',
    '*',
    'a\\:b',
    ' ',
  ])('the entry of %j, as it is', async (key) => {
    await cache.getOrSet([key], () => SECRET);
    const [listed] = cache.keys();
    const { status, body } = await json(`/admin/cache/entry?key=${encodeURIComponent(listed as string)}`);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { inspection: { key: listed, entries: [{ verdict: 'fresh' }] } },
    });
  });

  it('no value, nowhere, unless that is allowed', async () => {
    const cause = { event: 'changed' };
    await cache.getOrSet('user:42', () => ({ secret: SECRET }));
    await cache.getOrSet('user:43', () => Promise.reject(new Error(SECRET))).catch(() => {});
    await cache.invalidate([], { cause }).catch(() => {});
    for (const { path, method } of admin.routes) {
      if (method !== 'GET' || path.endsWith('stream')) continue;
      const { text } = await ask(path === '/admin/cache/entry' ? `${path}?key=user:42` : path);
      expect(text).not.toContain(SECRET);
    }
    const refused = await ask('/admin/cache/entry?key=user:42&value=1');
    expect([refused.status, refused.text.includes(SECRET)]).toEqual([403, false]);
  });

  it('values, of the keys that are allowed', async () => {
    await close();
    await open({ values: (key) => key.startsWith('open:') });
    const loop: Record<string, unknown> = { big: 1n };
    loop['self'] = loop;
    for (const [key, value] of Object.entries({
      'open:1': { a: 1 },
      'open:2': 'x'.repeat(100_000),
      'open:3': loop,
      'closed:1': 1,
    }))
      await cache.getOrSet(key, () => value);
    const value = async (key: string) => {
      const { status, body } = await json(`/admin/cache/entry?key=${key}&value=1`);
      if (status !== 200) return status;
      return (body['inspection'] as { entries: { value: unknown }[] }).entries[0]?.value;
    };
    expect(await value('open:1')).toEqual({ value: { a: 1 } });
    expect(await value('open:2')).toMatchObject({ characters: 100_002 });
    expect(await value('open:3')).toMatchObject({ text: expect.stringContaining('big: 1n') });
    expect(await value('closed:1')).toBe(403);
    expect((await json('/admin/cache/entry?key=open:1')).body).not.toMatchObject({
      inspection: { entries: [{ value: {} }] },
    });
  });

  it('metrics for Prometheus, as the service gives them', async () => {
    await close();
    await open({ prometheus: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }) });
    const { status, text, headers } = await ask('/metrics', { token: READER });
    expect([status, text, headers.get('content-type')]).toEqual([200, 'up 1\n', 'text/plain; version=0.0.4']);
  });
});

describe('where', () => {
  it('below a base, whether or not somebody has taken it off', async () => {
    await close();
    await open({ base: '/ops' });
    expect((await ask('/ops/admin/cache/health')).status).toBe(200);
    expect((await ask('/admin/cache/health')).status).toBe(200);
    expect((await ask('/opsadmin/cache/health')).status).toBe(404);
    expect((await ask('/ops/ops/admin/cache/health')).status).toBe(404);
    expect(admin.openapi()['servers']).toEqual([{ url: '/ops' }]);
  });

  it.each(['ops', '/ops/', '/', '/a b', '/ops?x', '//ops'])('%j is no base', (base) => {
    expect(() => createAdmin(operations, { access: { tokens: { reader: READER } }, base })).toThrow(/is not a path/);
  });

  it('nothing after it was closed, and nothing of a closed cache', async () => {
    await cache.close();
    expect((await json(INVALIDATE, { body: { tags: ['a'] } })).status).toBe(503);
    expect((await json('/admin/cache/entry?key=a')).status).toBe(503);
    await admin.close();
    expect(await json('/admin/cache/health')).toMatchObject({ status: 503, body: { error: { code: 'CLOSED' } } });
    expect((await json('/livez')).status).toBe(503);
  });
});
