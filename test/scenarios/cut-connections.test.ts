import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { everything, key, pattern, tag, type Target } from '../../src/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { Gateway } from '../servers/gateway.ts';
import { ask } from '../servers/redis-ask.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { CLEAN, Fleet } from './fleet.ts';
import type { Member } from './member.ts';

const ROWS = ['a', 'b', 'c', 'd', 'e'];
/** Nothing here is about deadlines. */
const PATIENT = { maxLag: 2_000, patience: '5s', requestTimeout: '2s' } as const;
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
  near = fleet.join({ ...SLOW, url: server.url });
  far = fleet.join({ ...SLOW, url });
  await fleet.heal(ROWS);
});

afterEach(async () => {
  await fleet.close();
  await gateway.close();
});

/** The connections by which nodes wait for records: ids of those that are blocked. */
async function followers(): Promise<string[]> {
  const list = String(await ask(server.port, 'CLIENT', 'LIST', 'TYPE', 'normal'));
  return [...list.matchAll(/^id=(\d+) .* flags=\w*b\w* .*cmd=xread/gm)].map(([, id]) => id as string);
}

describe('a node that has lost only the connection by which it follows', { timeout: 30_000 }, () => {
  beforeEach(async () => {
    gateway.state = 'closed';
    gateway.cut('follower');
    await waitUntil(() => !far.attached, { what: 'the far node to be detached' });
  });

  it('is served from the store, by asking the server, and never what is covered', async () => {
    for (const row of ROWS) expect(await far.read(row)).toMatchObject({ value: 1, from: 'store' });
    // What the other one loads and keeps again is found there.
    await near.write('a');
    await near.read('a');
    await waitUntil(async () => (await far.read('a')).from === 'store');
    expect((await far.read('a')).value).toBe(2);
  });

  const targets: readonly (readonly [string, Target])[] = [
    ['its own key', key('row:a')],
    ['a key above its own', key('row')],
    ['its tag', tag('tag-of-a')],
    ['a pattern', pattern('r*:a')],
    ['everything', everything()],
  ];
  for (const [what, target] of targets)
    it(`is not served what ${what} has covered, which only the server can know`, async () => {
      await near.write('a', target);
      expect(await far.read('a')).toMatchObject({ value: 2, from: 'loader' });
    });

  it('appends as usual, and says that it could not see its record come back', async () => {
    expect(await far.write('a')).toMatchObject({ status: 'appended' });
    expect(far.count('queued')).toBe(0);
    expect((await far.read('a')).value).toBe(2);
    await waitUntil(async () => (await near.read('a')).value === 2);
    // Its own table has it as well.
    expect(await far.read('b')).toMatchObject({ value: 1, from: 'store' });
  });

  it('is served from memory again when it follows again', async () => {
    await near.write('a');
    gateway.state = 'open';
    await far.ready();
    expect(far.count('epoch')).toBe(1);
    expect(ROWS.map((row) => far.rows.peek(row))).toEqual([undefined, 1, 1, 1, 1]);
    expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  });
});

describe('connections that are ended by the server', { timeout: 30_000 }, () => {
  it('are made again, all of them, again and again, and readers notice nothing', async () => {
    const end = fleet.busy(ROWS);
    for (let round = 1; round <= 10; round++) {
      const before = fleet.members.map((member) => member.count('detached'));
      await ask(server.port, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await waitUntil(() => fleet.members.every((member, i) => member.count('detached') > (before[i] as number)));
      await fleet.ready();
    }
    await end();
    expect(fleet.members.map((member) => member.count('epoch'))).toEqual([1, 1]);
    expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  });

  it('are made again where only the followers were', async () => {
    const end = fleet.busy(ROWS);
    for (let round = 1; round <= 10; round++) {
      const id = await waitUntil(async () => (await followers())[0], { what: 'a follower to wait' });
      await ask(server.port, 'CLIENT', 'KILL', 'ID', id as string);
    }
    await end();
    expect(fleet.members.map((member) => member.count('epoch'))).toEqual([1, 1]);
    expect(fleet.members.reduce((sum, member) => sum + member.count('detached'), 0)).toBeGreaterThanOrEqual(10);
    expect(fleet.members.flatMap(({ events }) => events.filter(({ type }) => type === 'queued'))).toEqual([]);
    expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  });
});
