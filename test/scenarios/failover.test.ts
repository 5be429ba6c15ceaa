import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { ask } from '../servers/redis-ask.ts';
import { clientFamilies, type ClientFamily } from '../servers/redis-clients.ts';
import type { RedisServer } from '../servers/redis-server.ts';
import { type RedisSentinels, startSentinels } from '../servers/redis-sentinels.ts';
import { Deployment } from '../torture/deployment.ts';
import { CLEAN, Fleet } from './fleet.ts';
import type { Member } from './member.ts';

const ROWS = ['a', 'b', 'c', 'd', 'e'];
const PATIENT = { timeout: 20_000 };

let fleet: Fleet;

beforeEach(() => {
  fleet = new Fleet();
});

/** How many lives of the log each node has seen. */
const epochs = (): number[] => fleet.members.map((member) => member.count('epoch'));

describe('a primary that dies, and a replica that Sentinels promote', { timeout: 90_000 }, () => {
  const [family] = clientFamilies as readonly [ClientFamily];
  let servers: RedisSentinels;

  beforeEach(async () => {
    servers = await startSentinels();
    for (let i = 0; i < 3; i++) fleet.join({ client: family.sentinel(servers.ports) });
    await fleet.heal(ROWS);
  });

  afterEach(async () => {
    await fleet.close();
    await servers.stop();
  });

  /** Under a heavy load they may have promoted the other one before. */
  async function primary(): Promise<RedisServer> {
    const [asked] = servers.ports as [number];
    const [, port] = (await ask(asked, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')) as [string, string];
    return [servers.primary, servers.replica].find((server) => String(server.port) === port) as RedisServer;
  }

  it('costs readers misses only, and what could not be appended meanwhile is appended then', async () => {
    const before = epochs();
    const end = fleet.busy(ROWS);
    await (await primary()).kill();
    await waitUntil(() => fleet.members.every((member) => member.count('queued') > 0), PATIENT);
    await waitUntil(() => epochs().every((count, i) => count > (before[i] as number)), PATIENT);
    await end();
    expect(await fleet.heal(ROWS)).toEqual(CLEAN);
    for (const member of fleet.members) expect(member.unsent()).toEqual([]);
  });
});

describe('a replica that had not got everything when its primary died', { timeout: 90_000 }, () => {
  let servers: Deployment;

  beforeEach(async () => {
    servers = await Deployment.start(3, 1, []);
    for (let i = 0; i < 3; i++) fleet.join({ url: servers.urlOf(i) });
    await fleet.heal(ROWS);
  });

  afterEach(async () => {
    await fleet.close();
    await servers.stop();
  });

  it('begins another epoch: nobody is served what the lost record had covered', async () => {
    const [writer, ...others] = fleet.members as [Member, ...Member[]];
    // It stays behind: what it holds of the store is from before the write.
    await ask(servers.primary.port, 'ACL', 'SETUSER', 'default', '-psync', '-sync');
    await ask(servers.primary.port, 'CLIENT', 'KILL', 'TYPE', 'replica');
    expect(await writer.write('a')).toMatchObject({ status: 'applied' });
    await servers.failOver(async () => {
      expect(await writer.write('b')).toMatchObject({ status: 'queued' });
      expect(await writer.read('a')).toMatchObject({ value: 2 });
    });
    await waitUntil(() => epochs().every((count) => count >= 2), { ...PATIENT, what: 'another epoch' });
    for (const member of others) expect((await member.read('a')).value).toBe(2);
    expect(await fleet.heal(ROWS)).toEqual(CLEAN);
  });
});

describe('an old primary that is isolated with some of its clients', { timeout: 90_000 }, () => {
  let servers: Deployment;
  let left: Member;
  let others: readonly Member[];

  beforeEach(async () => {
    servers = await Deployment.start(3, 2, []);
    for (let i = 0; i < 3; i++) fleet.join({ url: servers.urlOf(i), replicas: 1 });
    [left, ...others] = fleet.members as [Member, ...Member[]];
    await fleet.heal(ROWS);
  });

  afterEach(async () => {
    await fleet.close();
    await servers.stop();
  });

  for (const cut of [true, false])
    it(`proves and takes nothing; its clients' connections ${cut ? 'end with it' : 'outlive it'}`, async () => {
      await servers.split(new Set([0]), cut, async () => {
        const [writer] = others as readonly [Member];
        await waitUntil(() => !left.attached, { what: 'the node that was left behind to be detached' });
        await waitUntil(() => others.every((member) => member.attached), { ...PATIENT, what: 'the others' });
        expect(await writer.write('a')).toMatchObject({ status: 'applied' });
        expect(await left.read('a')).toMatchObject({ value: 2, from: 'loader' });
        // What the old primary holds of the store is not proved either.
        expect(await left.read('b')).toMatchObject({ value: 1, from: 'loader' });
        expect(await left.write('c')).toMatchObject({ status: 'queued' });
        expect((await left.read('c')).value).toBe(2);
        expect(left.attached).toBe(false);
      });
      expect(await fleet.heal(ROWS)).toEqual(CLEAN);
      expect(left.unsent()).toEqual([]);
      expect(Math.min(...epochs())).toBeGreaterThanOrEqual(2);
    });
});
