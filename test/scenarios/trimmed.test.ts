import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { key, type Target } from '../../src/index.ts';
import { redisKeys } from '../../src/redis/keys.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Gateway } from '../servers/gateway.ts';
import { ask } from '../servers/redis-ask.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { CLEAN, Fleet } from './fleet.ts';
import type { Member } from './member.ts';

const ROWS = Array.from({ length: 100 }, (_, i) => `row-${i}`);
const CHANGED = ROWS.slice(0, 10);
/** Nothing here is about deadlines. */
const PATIENT = { maxLag: 2_000, patience: '500ms', requestTimeout: '2s' } as const;
const SLOW = { timeout: '2s' } as const;

let server: RedisServer;
let gateway: Gateway;
let fleet: Fleet;
let near: Member;
let far: Member;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

beforeEach(async () => {
  await ask(server.port, 'FLUSHALL');
  gateway = new Gateway(server.port);
  const url = await gateway.listen();
  fleet = new Fleet(PATIENT);
  near = fleet.join({ ...SLOW, url: server.url, history: 4_096 });
  far = fleet.join({ ...SLOW, url, history: 4_096 });
  await fleet.ready();
  for (const row of ROWS) await far.read(row);
  // A lease that cannot be given back would keep the other node waiting for a while.
  const last = redisKeys('shop').lease(`row:${ROWS.at(-1)}`);
  await waitUntil(async () => /^(null|given back.*)$/.test(String(await ask(server.port, 'GET', last))));
});

afterEach(async () => {
  await fleet.close();
  await gateway.close();
});

/** Ends the far node's connections, and lets it make no other. */
async function cutOff(): Promise<void> {
  gateway.state = 'closed';
  gateway.cut();
  await waitUntil(() => !far.attached, { what: 'the far node to be detached' });
}

async function firstEntry(): Promise<string> {
  const [[id]] = (await ask(server.port, 'XRANGE', '{shop}:stream', '-', '+', 'COUNT', '1')) as [[string]];
  return id;
}

/** Appends until nothing is left of what the log had: entries of one record each, of other keys. */
async function outrun(): Promise<void> {
  const [before] = (await ask(server.port, 'XREVRANGE', '{shop}:stream', '+', '-', 'COUNT', '1')) as [[string]];
  const number = (id: string): number => Number(id.split('-')[0]);
  let i = 0;
  do {
    const targets: Target[] = Array.from({ length: 50 }, () => key(`other:${i++}`));
    await Promise.all(targets.map((target) => near.cache.invalidate(target)));
  } while (number(await firstEntry()) <= number(before[0]));
}

async function back(): Promise<void> {
  gateway.state = 'open';
  await far.ready();
}

/** What the far node has kept and what it has not is exactly what is right, and only what is not is loaded. */
async function expectExact(changed: readonly string[]): Promise<void> {
  expect(ROWS.filter((row) => far.rows.peek(row) !== undefined)).toEqual(ROWS.filter((row) => !changed.includes(row)));
  const before = new Map(fleet.truth.loads);
  for (const row of ROWS) await far.read(row);
  expect(ROWS.filter((row) => fleet.truth.loads.get(row) !== before.get(row))).toEqual(changed);
  expect(far.count('epoch')).toBe(1);
  expect(await fleet.heal(ROWS)).toEqual(CLEAN);
}

describe('a node that was cut off while more records passed than the log keeps', { timeout: 30_000 }, () => {
  it('copies the table, keeps exactly what is still valid, and loads only what is not', async () => {
    await cutOff();
    for (const row of CHANGED) await near.write(row);
    await outrun();
    await back();
    expect(far.count('resync')).toBe(1);
    await expectExact(CHANGED);
  });

  it('sends what it has written itself meanwhile', async () => {
    await cutOff();
    expect(await far.write('row-50')).toMatchObject({ status: 'queued' });
    await outrun();
    await back();
    expect(far.count('sent')).toBe(1);
    await expectExact(['row-50']);
  });

  it('keeps exactly what is still valid also where the log had all that it missed', async () => {
    await cutOff();
    for (const row of CHANGED) await near.write(row);
    await back();
    await expectExact(CHANGED);
  });
});

describe('a node that reads too slowly', { timeout: 30_000 }, () => {
  it('finds a gap, and copies the table without losing what is still valid', async () => {
    const release = gateway.hold();
    for (const row of CHANGED) await near.write(row);
    await outrun();
    release();
    const resync = await waitUntil(() => far.events.find(({ type }) => type === 'resync'));
    expect(resync).toMatchObject({ reason: 'gap' });
    await far.ready();
    await expectExact(CHANGED);
  });
});
