import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Cache,
  type CacheOptions,
  createCache,
  everything,
  key,
  pattern,
  tag,
  type Target,
} from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { pack, unpack } from './envelope.ts';
import { keyLabel, pathLabels, tagLabel } from './label.ts';
import type { Message } from './message.ts';
import { Participant } from './participant.ts';

let server: RedisServer;
let client: Redis;
let guest: Participant;
let caches: Cache[] = [];

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

beforeEach(async () => {
  client = new Redis(server.url);
  await client.flushall();
  guest = new Participant(client, 'shop');
});

afterEach(async () => {
  await Promise.all(caches.map((cache) => cache.close()));
  caches = [];
  client.disconnect();
});

async function join(options: Partial<CacheOptions> = {}): Promise<Cache> {
  const cache = createCache({ name: 'shop', ...redis({ url: server.url, timeout: '5s' }), ...options });
  caches.push(cache);
  await cache.ready({ timeout: '10s' });
  return cache;
}

const TAGS = { tags: ['org:7'] };
const nothing = { labels: [], patterns: [] };

/** What a participant says, by what a Tidemark user would. */
const said: readonly [string, Parameters<Participant['append']>[0], Target][] = [
  ['the key', { ...nothing, labels: [keyLabel('user:42')] }, key('user:42')],
  ['a key above it', { ...nothing, labels: [keyLabel('user')] }, key('user')],
  ['its tag', { ...nothing, labels: [tagLabel('org:7')] }, tag('org:7')],
  ['a pattern', { ...nothing, patterns: ['us*:42'] }, pattern('us*:42')],
  ['everything', { ...nothing, everything: true }, everything()],
];

describe('a participant that was written from the page alone', () => {
  it.each(said)('appends an invalidation of %s, and every Tidemark cache honours it', async (_, message) => {
    const nodes = [await join(), await join()];
    for (const cache of nodes) await cache.getOrSet('user:42', () => 'old', TAGS);
    await guest.append({ ...nothing, labels: [keyLabel('user:4'), tagLabel('user:42')] });
    await guest.append(message);
    for (const cache of nodes) await waitUntil(async () => (await cache.get('user:42')) === undefined);
    for (const cache of nodes) expect(await cache.getOrSet('user:42', () => 'new', TAGS)).toBe('new');
  });

  it('covers nothing else, and what is loaded afterwards stays', async () => {
    const cache = await join();
    await cache.getOrSet('user:43', () => 'other');
    await cache.getOrSet('user:42', () => 'old');
    await guest.append({ ...nothing, labels: [keyLabel('user:42')] });
    await waitUntil(async () => (await cache.get('user:42')) === undefined);
    await cache.getOrSet('user:42', () => 'new');
    expect([await cache.get('user:42'), await cache.get('user:43')]).toEqual(['new', 'other']);
  });

  it.each(said)('follows the log, and sees that a Tidemark cache has invalidated %s', async (_, message, target) => {
    const cache = await join();
    await guest.copy();
    const mark = guest.position;
    const isCovered = (name: string): boolean => guest.covers([...pathLabels(name), tagLabel('org:7')], name, mark);
    expect(isCovered('user:42')).toBe(false);
    await cache.invalidate([target]);
    const seen: Message[] = [];
    await waitUntil(async () => seen.push(...(await guest.follow(100))) > 0);
    expect(seen[0]).toMatchObject({ labels: message.labels, patterns: message.patterns });
    expect(isCovered('user:42')).toBe(true);
    const [own] = pathLabels('other:1');
    expect(guest.covers(own === undefined ? [] : [own], 'other:1', mark)).toBe(message.everything === true);
    expect(guest.covers(pathLabels('user:42'), 'user:42', guest.position)).toBe(false);
  });

  it('copies the same state as it would have followed to', async () => {
    const cache = await join();
    await guest.copy();
    const mark = guest.position;
    for (const [, , target] of said.slice(0, 4)) await cache.invalidate([target]);
    const late = new Participant(client, 'shop');
    await late.copy();
    await waitUntil(async () => {
      await guest.follow(100);
      return guest.position.number === late.position.number;
    });
    expect(late.position).toEqual(guest.position);
    const covered = { 'user:42': true, 'user:1': true, 'use:42': true, other: false };
    for (const it of [guest, late]) {
      const found = Object.keys(covered).map((name) => [name, it.covers(pathLabels(name), name, mark)]);
      expect(Object.fromEntries(found)).toEqual(covered);
    }
  });

  it('learns the shape of the table from the log, and its records reach those who copy it', async () => {
    await join({ slots: 1024, hashes: 5 });
    const mark = await guest.copy().then(() => guest.position);
    const stranger = new Participant(client, 'shop');
    await stranger.append({ ...nothing, labels: [keyLabel('user')] });
    await guest.copy();
    expect(guest.covers(pathLabels('user:42'), 'user:42', mark)).toBe(true);
    expect(guest.covers(pathLabels('other:1'), 'other:1', mark)).toBe(false);
  });

  it('notices that the log was lost: nothing that it knew can be proved any more', async () => {
    const cache = await join();
    await cache.invalidate([key('a')]);
    await guest.copy();
    const mark = guest.position;
    await client.flushall();
    await cache.ready({ timeout: '10s' });
    await waitUntil(async () => {
      await cache.invalidate([key('b')]);
      await guest.copy();
      return guest.position.epoch !== mark.epoch;
    });
    expect(guest.covers(pathLabels('user:42'), 'user:42', mark)).toBe(true);
  });

  it('finds a new epoch where somebody has altered the state, and so does the cache', async () => {
    const cache = await join();
    await cache.getOrSet('user:42', () => 'old');
    await guest.append({ ...nothing, labels: [keyLabel('a')] });
    await guest.copy();
    const before = guest.position.epoch;
    await client.hset('{shop}:log', 'head', '1');
    await guest.copy();
    expect(guest.position.epoch).not.toBe(before);
    await waitUntil(async () => (await cache.get('user:42')) === undefined);
  });

  it('keeps a value under its mark, which Tidemark serves until it is covered', async () => {
    const cache = await join();
    await guest.copy();
    const mine = {
      mark: guest.position,
      labels: [...pathLabels('user:42'), tagLabel('org:7')],
      value: { name: 'Ada' },
    };
    await client.set('shop:v:user:42', pack(mine, 60_000), 'PX', 60_000);
    expect(await cache.getOrSet('user:42', () => 'loaded')).toEqual({ name: 'Ada' });
    await cache.invalidate([tag('org:7')]);
    expect(await cache.getOrSet('user:42', () => 'loaded')).toBe('loaded');
  });

  it('reads a value that Tidemark keeps, and knows when it is covered', async () => {
    const cache = await join();
    await guest.copy();
    await cache.getOrSet('user:42', () => ({ name: 'Ada' }), TAGS);
    const kept = await waitUntil(() => client.getBuffer('shop:v:user:42'));
    const found = kept === null ? undefined : unpack(kept);
    expect(found?.value).toEqual({ name: 'Ada' });
    const isCovered = (): boolean | undefined => found && guest.covers(found.labels, 'user:42', found.mark);
    expect(isCovered()).toBe(false);
    await cache.invalidate([tag('org:7')]);
    await waitUntil(async () => (await guest.follow(100)).length > 0);
    expect(isCovered()).toBe(true);
  });
});
