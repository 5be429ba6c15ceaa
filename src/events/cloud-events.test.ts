import { connect } from 'node:net';
import { CloudEvent as SdkEvent, emitterFor, HTTP, httpTransport, Mode } from 'cloudevents';
import { afterEach, describe, expect, it } from 'vitest';
import { serveWeb } from '../../test/servers/web-server.ts';
import { createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { waitUntil } from '../testing/wait-until.ts';
import type { CloudEvent } from './cloud-event.ts';
import { connectCloudEvents } from './cloud-events.ts';
import type { CloudEventsOptions } from './cloud-events-options.ts';
import type { IntakeEvent } from './intake-event.ts';
import type { EventHandler } from './intake-options.ts';
import { createRules } from './rules.ts';

interface UserUpdated {
  readonly type: 'user.updated';
  readonly id: number;
}

const TYPE = 'com.example.user.updated';

const closing: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const it of closing.splice(0).toReversed()) await it.close();
});

async function start(
  options: Partial<CloudEventsOptions<UserUpdated>> = {},
  wrap = (rules: EventHandler<UserUpdated>): EventHandler<UserUpdated> => rules,
) {
  const cache = createCache({ name: 'test' });
  const rules = createRules<UserUpdated>(cache, { 'user.updated': (e) => key('user', e.id) });
  const heard: IntakeEvent<UserUpdated>[] = [];
  const seen: CloudEvent<{ id: number }>[] = [];
  const events = connectCloudEvents(wrap(rules), {
    fallback: cache,
    report: (event) => heard.push(event),
    verify: false,
    retries: 0,
    events: {
      [TYPE]: (event: CloudEvent<{ id: number }>) => {
        seen.push(event);
        return { type: 'user.updated', id: event.data?.id ?? Number(event.subject) };
      },
    },
    ...options,
  });
  const server = await serveWeb((request) => events.respond(request));
  closing.push(cache, events, server);
  const keep = (id: number) => cache.getOrSet(['user', id], () => `user ${id}`);
  const has = (id: number) => cache.has(['user', id]);
  const post = (body: string | Uint8Array, headers: Record<string, string>) =>
    fetch(server.url, { method: 'POST', body: body as never, headers });
  const structured = (event: object, type = 'application/cloudevents+json') =>
    post(JSON.stringify(event), { 'content-type': type });
  return { cache, heard, seen, events, server, keep, has, post, structured };
}

const event = { specversion: '1.0', id: 'e1', source: '/users', type: TYPE, data: { id: 1 } };
const BATCH = 'application/cloudevents-batch+json';

async function detail(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return ((await response.json()) as { detail: string }).detail;
}

describe('events of the SDK, over HTTP', () => {
  it.each([
    [Mode.BINARY, undefined],
    [Mode.STRUCTURED, undefined],
    [Mode.BINARY, 'application/vnd.shop+json'],
    [Mode.STRUCTURED, 'application/vnd.shop+json'],
  ] as const)('are taken in %s mode as %s', async (mode, datacontenttype) => {
    const { server, keep, has, seen, events } = await start();
    await keep(1);
    await keep(2);
    const emit = emitterFor(httpTransport(server.url), { mode });
    const time = '2026-01-02T03:04:05.678Z';
    const about = { ...event, subject: 'grüße 100%', time, dataschema: 'https://example.com/s', partitionkey: 'p' };
    await emit(new SdkEvent({ ...about, ...(datacontenttype && { datacontenttype }) }));
    expect([await has(1), await has(2)]).toEqual([false, true]);
    const { subject, dataschema } = about;
    expect(seen).toMatchObject([{ id: 'e1', source: '/users', subject, time, dataschema, data: { id: 1 } }]);
    expect(seen[0]?.extensions).toEqual({ partitionkey: 'p' });
    expect(events.statistics()).toMatchObject({ handled: 1, failures: 0 });
  });

  it.each([
    ['bytes', new Uint8Array([1, 2, 250]), 'application/octet-stream'],
    ['text', 'grüße', 'text/plain'],
    ['no data', undefined, undefined],
  ])('are taken with %s in both modes', async (_, data, datacontenttype) => {
    const { post, seen } = await start();
    const given = data instanceof Uint8Array ? Buffer.from(data) : data;
    const it = new SdkEvent({
      ...event,
      subject: '7',
      data: given as never,
      ...(datacontenttype && { datacontenttype }),
    });
    for (const message of [HTTP.binary(it), HTTP.structured(it)]) {
      const response = await post((message.body as string) ?? '', message.headers as Record<string, string>);
      expect(response.status).toBe(204);
    }
    expect(seen.map((each) => each.data)).toEqual([data, data]);
  });

  it('are taken as a batch, in order; an empty one too', async () => {
    const { structured, seen, heard } = await start();
    const events = [1, 2, 3].map((id) => new SdkEvent({ ...event, id: `e${id}`, data: { id } }).toJSON());
    expect((await structured(events, `${BATCH}; charset=utf-8`)).status).toBe(204);
    expect(seen.map(({ id }) => id)).toEqual(['e1', 'e2', 'e3']);
    expect(heard.map((it) => it.type === 'handled' && it.id)).toEqual(['e1', 'e2', 'e3']);
    expect((await structured([], BATCH)).status).toBe(204);
  });
});

describe('headers of the binary mode', () => {
  const headers = { 'ce-specversion': '1.0', 'ce-id': 'e1', 'ce-source': '/users', 'ce-type': TYPE };

  it.each([
    ['Euro%20%E2%82%AC%20%f0%9f%98%80', 'Euro € 😀'],
    ['"in \\"quotes\\""', 'in "quotes"'],
    ['100% sure', '100% sure'],
  ])('%s is read as %s', async (subject, expected) => {
    const { post, seen } = await start();
    const response = await post('{"id":1}', { ...headers, 'ce-subject': subject, 'content-type': 'application/json' });
    expect([response.status, seen[0]?.subject]).toEqual([204, expected]);
  });

  it.each([
    [{ 'ce-subject': '%C0%A0' }, 'percent-encoded'],
    [{ 'ce-datacontenttype': 'text/plain' }, 'Use Content-Type'],
    [{ 'ce-id': '' }, 'id'],
    [{ 'ce-some_name': 'x' }, 'no name of an attribute'],
  ])('%j is refused', async (wrong, word) => {
    const { post, seen } = await start();
    const response = await post('{"id":1}', { ...headers, 'content-type': 'application/json', ...wrong });
    expect(response.status).toBe(400);
    expect(await detail(response)).toContain(word);
    expect(seen).toEqual([]);
  });
});

describe('what is no CloudEvent is refused, and the answer names the cure', () => {
  it.each<[string, unknown, string]>([
    ['no id', { ...event, id: undefined }, 'id is missing'],
    ['an empty id', { ...event, id: '' }, 'not empty'],
    ['a number as id', { ...event, id: 7 }, 'not empty'],
    ['no source', { ...event, source: null }, 'source is missing'],
    ['a source with spaces', { ...event, source: 'a b' }, 'URI reference'],
    ['another version', { ...event, specversion: '0.3' }, 'Send version 1.0'],
    ['a local time', { ...event, time: '2026-01-02 03:04' }, 'RFC 3339'],
    ['a day that is none', { ...event, time: '2026-13-41T00:00:00Z' }, 'RFC 3339'],
    ['a relative schema', { ...event, dataschema: '/s' }, 'absolute URI'],
    ['no media type', { ...event, datacontenttype: 'json' }, 'media type'],
    ['an upper-case name', { ...event, orgId: 'x' }, 'no name of an attribute'],
    ['an object as extension', { ...event, org: { id: 1 } }, 'a boolean, or an integer'],
    ['a fraction as extension', { ...event, org: 1.5 }, 'a boolean, or an integer'],
    ['a control character', { ...event, subject: 'a\u0007' }, 'control characters'],
    ['data twice', { ...event, data_base64: 'aGk=' }, 'Send one of them'],
    ['bad Base64', { ...event, data: undefined, data_base64: '*' }, 'Base64'],
    ['a list', [event], 'no JSON object'],
    ['text', 'x', 'no JSON object'],
  ])('%s', async (_, wrong, word) => {
    const { structured, seen, heard } = await start();
    const response = await structured(wrong as object);
    expect(response.status).toBe(400);
    expect(await detail(response)).toContain(word);
    expect(seen).toEqual([]);
    expect(heard).toMatchObject([{ type: 'refused', status: 400 }]);
  });

  it('one of a batch: none is handled', async () => {
    const { structured, seen } = await start();
    const response = await structured([event, { ...event, id: '' }], BATCH);
    expect([response.status, await detail(response)]).toEqual([400, expect.stringContaining('Event 1 of the batch')]);
    expect((await structured(event, BATCH)).status).toBe(400);
    expect(seen).toEqual([]);
  });

  it.each([
    ['{"specversion":', 'application/cloudevents+json', 400, 'not JSON'],
    [new Uint8Array([34, 255, 34]), 'application/cloudevents+json', 400, 'UTF-8'],
    ['{"id":1}', 'application/json', 415, 'no CloudEvent in'],
    ['<event/>', 'application/cloudevents+xml', 415, 'not known here'],
    ['x'.repeat(2_000), 'application/cloudevents+json', 413, '1024 bytes'],
  ] as const)('%.20s as %s is answered with %i', async (body, type, status, word) => {
    const { post } = await start({ limit: '1kb' });
    const response = await post(body, { 'content-type': type });
    expect(response.status).toBe(status);
    expect(await detail(response)).toContain(word);
  });

  it('a long body without a length is left as soon as it is too long', async () => {
    const { server } = await start({ limit: 10 });
    const body = new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(8)) });
    const headers = { 'content-type': 'application/cloudevents+json' };
    const request = new Request(server.url, { method: 'POST', body, headers, duplex: 'half' } as never);
    const { events } = await start({ limit: 10 });
    expect((await events.respond(request)).status).toBe(413);
  });

  it('compressed bodies and other methods', async () => {
    const { post, server } = await start();
    const gzip = await post('x', { 'content-type': 'application/cloudevents+json', 'content-encoding': 'gzip' });
    expect([gzip.status, gzip.headers.get('accept-encoding')]).toEqual([415, 'identity']);
    const get = await fetch(server.url);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'OPTIONS, POST']);
  });
});

describe('what is answered', () => {
  it('a type that is not mapped: taken, and reported once', async () => {
    const { structured, heard } = await start();
    for (const id of ['1', '2']) expect((await structured({ ...event, id, type: 'other' })).status).toBe(204);
    expect(heard).toEqual([{ type: 'unmapped', source: '/users', name: 'other' }]);
  });

  it('an event that had to be given up, once everything is covered: taken', async () => {
    const fail = () => Promise.reject(new Error('broken'));
    const { structured, keep, has, events } = await start({}, () => ({ handle: fail }));
    await keep(2);
    expect((await structured(event)).status).toBe(204);
    expect(await has(2)).toBe(false);
    expect(events.parked()).toMatchObject([{ source: '/users', id: 'e1', covered: true }]);
  });

  it('one that was given up and not covered: to be sent again, until it is handled', async () => {
    let broken = true;
    const { structured, events } = await start({ fallback: false, retryAfter: '90s' }, (rules) => ({
      handle: (it) => (broken ? Promise.reject(new Error('broken')) : rules.handle(it)),
    }));
    const response = await structured(event);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '90']);
    expect(events.parked()).toHaveLength(1);
    broken = false;
    expect((await structured(event)).status).toBe(204);
    expect(events.parked()).toEqual([]);
  });

  it('a receipt that says queued: to be sent again', async () => {
    const { structured } = await start({}, () => ({ handle: () => Promise.resolve({ status: 'queued' }) }));
    const response = await structured(event);
    expect([response.status, await detail(response)]).toEqual([503, expect.stringContaining('log')]);
  });

  it('a handler that takes longer than the patience: to be sent again, and it goes on', async () => {
    const gate = new Gate();
    const { structured, events } = await start({ patience: 20 }, () => ({ handle: () => gate.promise }));
    expect((await structured(event)).status).toBe(503);
    gate.open();
    await waitUntil(() => events.statistics().handled === 1);
  });

  it('more events than may wait: to be sent again, before anything is read', async () => {
    const gate = new Gate();
    const { structured, events } = await start({ maxQueue: 1 }, () => ({ handle: () => gate.promise }));
    const first = structured(event);
    await waitUntil(() => events.statistics().waiting === 1);
    expect((await structured({ ...event, id: 'e2' })).status).toBe(503);
    gate.open();
    expect((await first).status).toBe(204);
  });

  it('a request that breaks off midway: nothing is handled, and the next one is', async () => {
    const { server, structured, seen, heard } = await start();
    const socket = connect(server.port, '127.0.0.1');
    const type = 'Content-Type: application/cloudevents+json';
    socket.write(`POST /events HTTP/1.1\r\nHost: x\r\n${type}\r\nContent-Length: 500\r\n\r\n{"specversion":`);
    await waitUntil(() => socket.bytesWritten > 0 && socket.readyState === 'open');
    socket.destroy();
    await waitUntil(() => heard.length > 0, { what: 'the end of the request' });
    expect([seen, heard]).toMatchObject([[], [{ type: 'refused', status: 400 }]]);
    expect((await structured(event)).status).toBe(204);
  });

  it('once it is closed: to be sent to another instance', async () => {
    const gate = new Gate();
    const { structured, events, keep, has } = await start({}, () => ({ handle: () => gate.promise }));
    await keep(1);
    const [first] = [structured(event)];
    await waitUntil(() => events.statistics().waiting === 1);
    const closed = events.close({ drain: 0 });
    expect(await closed).toEqual({ unhandled: [{ source: '/users', id: 'e1' }], covered: false });
    expect((await first).status).toBe(503);
    expect((await structured(event)).status).toBe(503);
    expect(await has(1)).toBe(true);
  });
});

describe('who may send', () => {
  const verify = (request: Request): boolean => request.headers.get('authorization') === 'Bearer secret';

  it('is asked before the body is read', async () => {
    const { post, seen } = await start({ verify });
    const headers = { 'content-type': 'application/cloudevents+json' };
    expect((await post('not even JSON', headers)).status).toBe(403);
    const allowed = await post(JSON.stringify(event), { ...headers, authorization: 'Bearer secret' });
    expect([allowed.status, seen.length]).toEqual([204, 1]);
  });

  it('is refused by a function that forgets to answer', async () => {
    const { structured } = await start({ verify: (() => {}) as never });
    expect((await structured(event)).status).toBe(403);
  });

  it('may be answered by a response, and is to send again where asking fails', async () => {
    const answer = await start({ verify: () => Promise.resolve(new Response('who?', { status: 401 })) });
    expect((await answer.structured(event)).status).toBe(401);
    const cause = new Error('no answer');
    const broken = await start({ verify: () => Promise.reject(cause) });
    const response = await broken.structured(event);
    expect([response.status, await response.text()]).toEqual([503, expect.not.stringContaining('no answer')]);
    expect(broken.heard).toMatchObject([{ type: 'refused', status: 503, cause }]);
  });
});

describe('the handshake of web hooks', () => {
  async function ask(options: Partial<CloudEventsOptions<UserUpdated>>, origin?: string) {
    const { server } = await start(options);
    const headers = origin === undefined ? {} : { 'webhook-request-origin': origin, 'webhook-request-rate': '120' };
    const response = await fetch(server.url, { method: 'OPTIONS', headers });
    const of = (name: string) => response.headers.get(name);
    return [response.status, of('allow'), of('webhook-allowed-origin'), of('webhook-allowed-rate')];
  }

  it('grants what was configured, and nothing else', async () => {
    const webhook = { origins: ['Events.example.com'], rate: 100 };
    expect(await ask({ webhook }, 'events.example.com')).toEqual([200, 'OPTIONS, POST', 'events.example.com', '100']);
    expect(await ask({ webhook: { origins: '*' } }, 'a.example')).toEqual([200, 'OPTIONS, POST', '*', '*']);
    const no = [200, 'OPTIONS, POST', null, null];
    expect(await ask({ webhook }, 'evil.example.com')).toEqual(no);
    expect(await ask({ webhook })).toEqual(no);
    expect(await ask({}, 'events.example.com')).toEqual(no);
  });
});

it('answers within its patience by the clock that it was given', async () => {
  const clock = new FakeClock();
  const never = { handle: () => new Promise(() => {}) };
  const options = { fallback: false, report: () => {}, verify: false, clock } as const;
  const events = connectCloudEvents(never, { ...options, events: { [TYPE]: () => ({ type: 'user.updated' }) } });
  const headers = { 'content-type': 'application/cloudevents+json' };
  const response = events.respond(new Request('http://x/', { method: 'POST', body: JSON.stringify(event), headers }));
  while (clock.timers < 2) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(10_000);
  expect((await response).status).toBe(503);
  await events.close({ drain: 0 });
  expect(clock.timers).toBe(0);
});

it.each([
  [{ verify: undefined }, 'verify'],
  [{ events: {} }, 'names no event'],
  [{ limit: 'much' }, 'limit'],
  [{ webhook: { origins: '*', rate: 0 } }, 'webhook.rate'],
  [{ Verify: false }, 'Write verify'],
])('%j is refused as an option', (wrong, word) => {
  const options = { fallback: false, report: () => {}, verify: false, events: { [TYPE]: () => undefined } };
  expect(() => connectCloudEvents({ handle: () => {} }, { ...options, ...wrong } as never)).toThrow(word);
});
