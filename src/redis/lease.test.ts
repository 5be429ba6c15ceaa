import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../cache/system-clock.ts';
import { leaseContract, type LeaseSubject } from '../testing/lease-contract.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { commandsTo, type ObservedCommands } from '../../test/servers/redis-connection.ts';
import { emptiedRedis } from '../../test/servers/emptied-redis.ts';
import { redisKeys } from './keys.ts';
import { RedisLease } from './lease.ts';

const redis = emptiedRedis();

let count = 0;

interface Subject extends LeaseSubject {
  readonly lease: RedisLease;
  readonly commands: ObservedCommands;
}

function open(): Subject {
  const commands = commandsTo(redis.server.url);
  const lease = new RedisLease({
    keys: redisKeys(`lease${++count}`),
    commands,
    random: systemRandom(),
    release: () => {},
  });
  return { lease, commands, elapse: redis.elapse };
}

leaseContract(
  { describe, it, beforeEach, afterEach },
  { name: 'a lease on Redis', open, close: ({ commands }) => commands.close() },
);

describe('a lease on Redis', () => {
  let subject: Subject;

  beforeEach(() => {
    subject = open();
  });

  afterEach(() => subject.commands.close());

  /** Refused by one who has held it for so long, of a minute. */
  async function waitAfter(held: number): Promise<number> {
    await redis.admin.set(`lease${count}:l:k`, '60000 somebody 1', 'PX', 60_000 - held);
    const answer = await subject.lease.acquire('k', 5_000);
    if (answer.granted) throw new Error('granted');
    return answer.wait;
  }

  it('lets those who wait look again soon at first, and more seldom the longer it is held', async () => {
    expect(await waitAfter(0)).toBeLessThan(20);
    const waits = await Promise.all(Array.from({ length: 20 }, () => waitAfter(100)));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(40);
    expect(Math.max(...waits)).toBeLessThanOrEqual(100);
    expect(new Set(waits).size).toBeGreaterThan(5);
    expect(await waitAfter(30_000)).toBe(100);
  });

  it('asks with one command, and keeps to the time of the holder rather than of who asks', async () => {
    await subject.lease.acquire('first', 1);
    subject.commands.sent.length = 0;
    const holder = await subject.lease.acquire('k', 60_000);
    expect(holder.granted).toBe(true);
    const answer = await subject.lease.acquire('k', 600_000);
    expect(subject.commands.sent.map(([command]) => command)).toEqual(['EVALSHA', 'EVALSHA']);
    expect(answer.granted ? Number.NaN : answer.wait).toBeLessThan(20);
  });

  it('lets another node look once more when it was given back a moment ago', async () => {
    const { commands } = subject;
    const other = new RedisLease({
      keys: redisKeys(`lease${count}`),
      commands,
      random: systemRandom(),
      release: () => {},
    });
    const third = new RedisLease({
      keys: redisKeys(`lease${count}`),
      commands,
      random: systemRandom(),
      release: () => {},
    });
    const holder = await subject.lease.acquire('k', 60_000);
    if (holder.granted) await holder.release();
    expect(await other.acquire('k', 60_000)).toEqual({ granted: false, wait: 1 });
    expect(await third.acquire('k', 60_000)).toEqual({ granted: false, wait: 1 });
    const next = await other.acquire('k', 60_000);
    expect(next.granted).toBe(true);
    expect((await third.acquire('k', 60_000)).granted).toBe(false);
    // Given back by yet another: what was looked for before that may be there now.
    if (next.granted) await next.release();
    expect(await third.acquire('k', 60_000)).toEqual({ granted: false, wait: 1 });
    expect((await third.acquire('k', 60_000)).granted).toBe(true);
  });

  it('forgets what it was refused for, of keys that nobody asks for again', async () => {
    const { commands } = subject;
    const other = new RedisLease({
      keys: redisKeys(`lease${count}`),
      commands,
      random: systemRandom(),
      release: () => {},
    });
    for (let i = 0; i <= 1_000; i++)
      await redis.admin.set(`lease${count}:l:k${i}`, 'given back by somebody 1', 'PX', 60_000);
    for (let i = 0; i <= 1_000; i++) await other.acquire(`k${i}`, 60_000);
    expect((await other.acquire('k0', 60_000)).granted).toBe(false);
    expect((await other.acquire('k1000', 60_000)).granted).toBe(true);
  });

  it('leaves nothing behind that would not expire', async () => {
    const answer = await subject.lease.acquire('k', 60_000);
    const left = await redis.admin.pttl(`lease${count}:l:k`);
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
    if (answer.granted) await answer.release();
    expect(await redis.admin.pttl(`lease${count}:l:k`)).toBeLessThanOrEqual(1_000);
    await waitUntil(async () => (await redis.admin.exists(`lease${count}:l:k`)) === 0);
  });

  it('is granted where memory is short: it takes little, and for a moment', async () => {
    await redis.admin.config('SET', 'maxmemory', '1');
    try {
      await expect(redis.admin.set('x', 'x')).rejects.toThrow('OOM');
      expect((await subject.lease.acquire('k', 60_000)).granted).toBe(true);
    } finally {
      await redis.admin.config('SET', 'maxmemory', '0');
    }
  });

  it('rejects when the server does not answer', async () => {
    const lease = new RedisLease({
      keys: redisKeys('x'),
      commands: { spread: false, send: () => Promise.reject(new Error('gone')), close: () => {} },
      random: Math.random,
      release: () => {},
    });
    await expect(lease.acquire('k', 1_000)).rejects.toThrow('gone');
  });
});
