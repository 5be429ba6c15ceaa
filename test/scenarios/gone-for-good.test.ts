import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { freePort } from '../servers/free-port.ts';
import { Gateway } from '../servers/gateway.ts';
import { ask } from '../servers/redis-ask.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { CLEAN, Fleet } from './fleet.ts';
import type { Member } from './member.ts';

const ROWS = ['a', 'b', 'c'];
/** What anything may take without Redis, in ms: the figure that was asked for. */
const LIMIT = 500;

let server: RedisServer;
let gateway: Gateway;
let url: string;
let fleet: Fleet;
let fresh = 0;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

beforeEach(async () => {
  await ask(server.port, 'FLUSHALL');
  gateway = new Gateway(server.port);
  url = await gateway.listen();
  fleet = new Fleet();
});

afterEach(async () => {
  server.signal('SIGCONT');
  await fleet.close();
  await gateway.close();
});

interface Outage {
  readonly name: string;
  begin(): unknown;
  end(): unknown;
}

const outages: readonly Outage[] = [
  { name: 'was killed', begin: () => server.kill(), end: () => server.restart() },
  { name: 'hangs', begin: () => server.signal('SIGSTOP'), end: () => server.signal('SIGCONT') },
  {
    name: 'is behind a network that swallows everything',
    begin: () => (gateway.state = 'silent'),
    end: () => {
      gateway.state = 'open';
      gateway.cut();
    },
  },
  {
    name: 'is behind a port that refuses',
    begin: () => {
      gateway.state = 'closed';
      gateway.cut();
    },
    end: () => (gateway.state = 'open'),
  },
];

/** Two nodes. */
function join(): readonly [Member, Member] {
  return [fleet.join({ url }), fleet.join({ url })];
}

/** How long a call took, in ms, and what it returned. */
async function timed<T>(call: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const began = performance.now();
  const value = await call();
  return { ms: performance.now() - began, value };
}

/** A hot read, a miss and an invalidation, one after the other. */
async function expectPrompt(member: Member): Promise<void> {
  const hot = await timed(() => member.read('a'));
  const miss = await timed(() => member.read(`new-${fresh++}`));
  const write = await timed(() => member.write('a'));
  const again = await timed(() => member.read('a'));
  expect(miss.value).toMatchObject({ value: 1, from: 'loader' });
  expect(write.value.status).toBe('queued');
  expect(again.value).toMatchObject({ value: fleet.truth.version('a'), from: 'loader' });
  const times = [hot, miss, write, again].map(({ ms }) => ms);
  expect(Math.max(...times), `hot, miss, write, read: ${times.join(', ')} ms`).toBeLessThan(LIMIT);
}

/** All at once, while nobody has noticed yet. */
async function expectPromptTogether(member: Member): Promise<void> {
  const calls = await Promise.all([
    timed(() => member.read('a')),
    timed(() => member.read(`new-${fresh++}`)),
    timed(() => member.write('b')),
    timed(() => member.cache.get('nothing')),
  ]);
  const times = calls.map(({ ms }) => ms);
  expect(Math.max(...times), `hot, miss, write, get: ${times.join(', ')} ms`).toBeLessThan(LIMIT);
}

for (const outage of outages) {
  describe(`a Redis that ${outage.name}`, { timeout: 30_000 }, () => {
    it('is not waited for, and its nodes are coherent when it is back', async () => {
      const [one, other] = join();
      expect(await fleet.heal(ROWS)).toEqual(CLEAN);
      await outage.begin();
      await expectPromptTogether(one);
      await waitUntil(() => !other.attached, { what: 'the other node to be detached' });
      await expectPrompt(other);
      await outage.end();
      expect(await fleet.heal(ROWS)).toEqual(CLEAN);
      // Each has sent what it had queued.
      expect(fleet.members.map((member) => member.cache.status().queued)).toEqual([0, 0]);
      expect(fleet.members.flatMap((member) => member.unsent())).toEqual([]);
      expect(fleet.members.map((member) => member.count('queued'))).toEqual([1, 1]);
    });

    it('is not needed for a process to start, to serve and to end', async () => {
      await outage.begin();
      const [one, other] = join();
      await expectPrompt(one);
      await expectPrompt(one);
      await expect(other.cache.ready({ timeout: 50 })).rejects.toMatchObject({ code: 'NOT_READY' });
      const { ms, value } = await timed(() => other.cache.close({ drain: 0 }));
      expect(value).toEqual({ unsent: 0 });
      expect(ms).toBeLessThan(LIMIT);
      fleet.members.splice(1);
      await outage.end();
      expect(await fleet.heal(ROWS)).toEqual(CLEAN);
    });
  });
}

it('serves without any Redis at all, and says so', async () => {
  const member = fleet.join({ url: `redis://127.0.0.1:${await freePort()}` });
  await expectPrompt(member);
  await expectPrompt(member);
  expect(fleet.errors).toEqual([]);
  expect(fleet.truth.broken).toEqual([]);
});

it('ends in time beside a Redis that hangs, and says what it could not send', async () => {
  const [one] = join();
  expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  server.signal('SIGSTOP');
  await one.write('a');
  await one.write('b');
  const { ms, value } = await timed(() => one.cache.close({ drain: '100ms' }));
  server.signal('SIGCONT');
  expect(value).toEqual({ unsent: 2 });
  expect(ms).toBeLessThan(LIMIT);
});

it('covers what is queued at once, while what it has otherwise is still proved', async () => {
  fleet = new Fleet({ maxLag: 5_000 });
  const [one, other] = join();
  await fleet.heal(ROWS);
  server.signal('SIGSTOP');
  expect(await one.read('a')).toMatchObject({ value: 1, from: 'memory' });
  expect(await one.write('a')).toMatchObject({ status: 'queued' });
  expect(other.attached).toBe(true);
  expect(await one.read('a')).toMatchObject({ value: 2, from: 'loader' });
  server.signal('SIGCONT');
  expect(await fleet.heal(ROWS)).toEqual(CLEAN);
}, 30_000);

it('serves what it has for a stated time where it is told to, but not what it has written itself', async () => {
  fleet = new Fleet({ whenDetached: { serve: '1m' } });
  const [one] = join();
  await fleet.heal(ROWS);
  server.signal('SIGSTOP');
  await waitUntil(() => !one.attached, { what: 'the node to be detached' });
  expect(await one.read('a')).toMatchObject({ value: 1, from: 'memory' });
  expect(await one.write('b')).toMatchObject({ status: 'queued' });
  expect(await one.read('b')).toMatchObject({ value: 2, from: 'loader' });
  server.signal('SIGCONT');
  expect(await fleet.heal(ROWS)).toEqual(CLEAN);
}, 30_000);
