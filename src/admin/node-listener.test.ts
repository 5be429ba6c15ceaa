import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { waitUntil } from '../testing/wait-until.ts';
import { nodeListener, type Respond } from './node-listener.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.close();
  server?.closeAllConnections();
  if (server !== undefined) await once(server, 'close');
  server = undefined;
});

async function serve(respond: Respond, base?: string): Promise<string> {
  server = createServer(nodeListener(respond, base));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What is written is sent as it is. */
async function raw(url: string, lines: readonly string[]): Promise<string> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(lines.join('\r\n'));
  return text(socket);
}

it('hands over method, path, headers, body and address', async () => {
  const url = await serve(async (request, { address }) => {
    const { method, headers } = request;
    const path = request.url.replace('http://localhost', '');
    return Response.json({ method, path, type: headers.get('content-type'), body: await request.text(), address });
  });
  const headers = { 'content-type': 'a/b' };
  const answer = await fetch(`${url}/a/b?c=d%2Fe`, { method: 'POST', body: 'text', headers });
  expect(await answer.json()).toEqual({
    ...{ method: 'POST', path: '/a/b?c=d%2Fe', type: 'a/b', body: 'text', address: '127.0.0.1' },
  });
});

it.each([
  ['//evil.example/admin', '//evil.example/admin'],
  ['http://evil.example/admin', '/http://evil.example/admin'],
  ['/a/../b', '/b'],
  ['/a%2f..%2fb', '/a%2f..%2fb'],
  ['*', '/*'],
])('takes %s for a path of its own', async (path, seen) => {
  const url = await serve(async (request) => new Response(new URL(request.url).host + new URL(request.url).pathname));
  const answer = await raw(url, [`GET ${path} HTTP/1.1`, 'Host: evil.example', 'Connection: close', '', '']);
  expect(answer).toContain(`localhost${seen}`);
});

it('answers a method that no Web request can have', async () => {
  const url = await serve(async () => new Response('reached'));
  const answer = await raw(url, ['TRACE / HTTP/1.1', 'Host: a', '', '']);
  expect(answer).toMatch(/^HTTP\/1\.1 501 Not Implemented\r\n/);
  expect(answer).not.toContain('reached');
  expect(await (await fetch(url)).text()).toBe('reached');
});

it.each([
  ['/ops/a', '/a'],
  ['/ops', '/'],
  ['/ops?x=1', '/?x=1'],
  ['/opsa', '/opsa'],
  ['/a', '/a'],
])('takes the base off %s', async (path, seen) => {
  const url = await serve(async (request) => new Response(request.url.replace('http://localhost', '')), '/ops');
  expect(await (await fetch(url + path)).text()).toBe(seen);
});

it('gives a body that a framework has parsed already', async () => {
  const listener = nodeListener(async (request) => new Response(await request.text()));
  server = createServer((incoming, outgoing) => {
    void text(incoming).then((body) =>
      listener(Object.assign(incoming, { body: JSON.parse(body) as unknown }), outgoing),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await (await fetch(url, { method: 'POST', body: '{ "a": [1] }' })).text()).toBe('{"a":[1]}');
});

it('answers though the body is given up, and reads no more of it', async () => {
  let read = 0;
  const url = await serve(async ({ body }) => {
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    read += (await reader.read()).value?.length ?? 0;
    await reader.cancel();
    return new Response('enough', { status: 413, headers: { connection: 'close' } });
  });
  const chunk = Buffer.alloc(10_000, 'x');
  let sent = 0;
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n`);
  socket.write(chunk, () => (sent += chunk.length));
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 .*enough/s);
  expect(read).toBeLessThanOrEqual(sent);
});

it('waits for a client that reads slowly, and lets the stream know when it goes', async () => {
  let made = 0;
  let cancelled = false;
  let aborted = false;
  const url = await serve(async ({ signal }) => {
    signal.addEventListener('abort', () => void (aborted = true));
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        made++;
        controller.enqueue(new Uint8Array(64 * 1_024));
      },
      cancel: () => void (cancelled = true),
    });
    return new Response(body);
  });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  let before = -1;
  // It comes to rest: what nobody reads is not made.
  await waitUntil(
    () => {
      const rests = made > 0 && made === before;
      before = made;
      return rests;
    },
    { every: 100, what: 'the stream to rest' },
  );
  expect(made).toBeLessThan(1_000);
  socket.destroy();
  await waitUntil(() => aborted && cancelled);
});

it('closes the connection where the answer fails midway, or there is none', async () => {
  const url = await serve(async (request) => {
    if (request.url.endsWith('/none')) throw new Error('no answer');
    return new Response(
      new ReadableStream({
        pull: (controller) => controller.error(new Error('midway')),
      }),
    );
  });
  await expect(fetch(`${url}/none`)).rejects.toThrow('fetch failed');
  await expect(fetch(`${url}/midway`).then((it) => it.text())).rejects.toThrow(/terminated|fetch failed/);
});
