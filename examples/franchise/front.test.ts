import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { Front } from './front.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let servers: Server[] = [];
let front: Front;
let url: string;

afterEach(async () => {
  agent.destroy();
  await front.close();
  for (const server of servers) server.close();
  servers = [];
});

async function instance(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function start(...instances: string[]): Promise<void> {
  front = new Front(instances);
  url = await front.listen(0, '127.0.0.1');
}

/** On one connection for all. */
async function ask(body = ''): Promise<{ answer: IncomingMessage; said: string }> {
  const asked = request(`${url}/path?a=1`, { method: 'POST', agent, headers: { 'x-mine': 'yes' } });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { answer, said: await text(answer) };
}

it('gives each request to the next instance, also on a connection that is kept', async () => {
  const addresses = [];
  const sockets = new Set();
  for (const status of [200, 201, 202]) {
    addresses.push(
      await instance((asked, answer) => {
        const { method, url: path, headers } = asked;
        answer.writeHead(status, { 'x-theirs': 'yes' });
        answer.write(`${method},${path},${String(headers['x-mine'])},`);
        asked.pipe(answer);
      }),
    );
  }
  await start(...addresses);
  const seen = [];
  for (let i = 0; i < 6; i++) {
    const { answer, said } = await ask(`body ${i}`);
    expect(said).toBe(`POST,/path?a=1,yes,body ${i}`);
    expect(answer.headers).toMatchObject({ 'x-theirs': 'yes', 'x-instance': addresses[i % 3] });
    seen.push(answer.statusCode);
    sockets.add(answer.socket);
  }
  expect(seen).toEqual([200, 201, 202, 200, 201, 202]);
  expect(sockets.size).toBe(1);
});

it('says 502 for an instance that is gone, and drops it when told to', async () => {
  const [one, two] = [
    await instance((_, answer) => answer.end('one')),
    await instance((_, answer) => answer.end('two')),
  ];
  await start(one, two);
  servers[0]?.close();
  expect((await ask()).answer.statusCode).toBe(502);
  expect((await ask()).said).toBe('two');
  front.drop(one);
  expect([(await ask()).said, (await ask()).said]).toEqual(['two', 'two']);
  front.drop(two);
  expect((await ask()).answer.statusCode).toBe(502);
});

it('cuts off what an instance has begun and cannot end', async () => {
  await start(
    await instance((_, answer) => {
      answer.writeHead(200, { 'content-length': 100 });
      answer.write('begun', () => answer.destroy());
    }),
  );
  await expect(ask()).rejects.toThrow(/aborted|hang up|reset/);
});

it('answers what it was asked before it closes', async () => {
  let finish = (): void => {};
  await start(
    await instance((_, answer) => {
      finish = () => answer.end('done');
      servers[0]?.emit('asked');
    }),
  );
  const asked = once(servers[0] as Server, 'asked');
  const last = ask();
  await asked;
  const closed = front.close();
  finish();
  const { answer, said } = await last;
  expect([said, answer.headers.connection]).toEqual(['done', 'close']);
  await closed;
});
