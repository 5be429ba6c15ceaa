import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../cache/system-clock.ts';
import { logOptions } from '../coherence/log-options.ts';
import type { Draft } from '../coherence/record.ts';
import { checkContract } from '../testing/check-contract.ts';
import { logContract } from '../testing/log-contract.ts';
import { appendedAt, Drafts, type LogSubject } from '../testing/log-subject.ts';
import { partContext } from '../testing/part-context.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { emptiedRedis } from '../../test/servers/emptied-redis.ts';
import type { Connection } from './connection.ts';
import { redisKeys } from './keys.ts';
import { Link } from './link.ts';
import { LogScripts } from './log-scripts.ts';
import { RedisLog } from './log.ts';
import { RollCall } from './roll-call.ts';

const redis = emptiedRedis();

async function open(): Promise<Connection> {
  const client = new Redis(redis.server.url, {
    lazyConnect: true,
    retryStrategy: () => null,
    enableOfflineQueue: false,
  });
  client.on('error', () => {});
  await client.connect();
  return {
    send: ([command, ...args]) => client.callBuffer(command as string, ...(args as string[])) as Promise<never>,
    closed: false,
    onClose: (listener) => void client.on('close', listener),
    close: () => client.disconnect(),
  };
}

let count = 0;

interface Subject extends LogSubject {
  readonly log: RedisLog;
  readonly check: RedisLog;
}

function subject(): Subject {
  const name = `log${++count}`;
  const context = partContext(systemClock, { name, random: systemRandom() });
  const options = { ...logOptions({ slots: 1024 }), maxLife: 1_000 };
  const link = (): Link => new Link({ open, clock: systemClock, random: Math.random, timeout: 2_000 });
  const keys = redisKeys(name);
  const data = link();
  const log = new RedisLog({
    keys,
    data,
    onConnected: () => () => {},
    release: () => data.close(),
    follower: link(),
    scripts: new LogScripts(keys, options, context.random),
    rollCall: new RollCall(),
    replicas: 0,
    history: 1 << 20,
    timeout: 2_000,
    context,
  });
  return {
    log,
    check: log,
    options,
    now: () => context.stopwatch.now(),
    elapse: redis.elapse,
    trim: (number) => redis.admin.xtrim(keys.stream, 'MINID', `${number}-1`),
    lose: () => redis.admin.flushall(),
  };
}

const runner = { describe, it, beforeEach, afterEach };
const elsewhere = 'the log is in another process';
logContract(runner, {
  name: 'Redis',
  open: subject,
  close: ({ log }) => log.close(),
  skip: {
    'attach: hands over the state, then each record in the turn of its append': elsewhere,
    'attach: who follows knows what the log knows': elsewhere,
    'attach: each follower hears of everything, until it detaches': elsewhere,
  },
});
checkContract(runner, { name: 'Redis', open: subject, close: ({ log }) => log.close() });

interface Filled {
  readonly log: RedisLog;
  readonly keys: ReturnType<typeof redisKeys>;
  readonly epoch: string;
  readonly last: number;
  /** Appends; answers the epoch. */
  readonly append: (draft?: Partial<Draft>) => Promise<string>;
}

async function filled(): Promise<Filled> {
  const it = subject();
  const drafts = new Drafts();
  for (let i = 0; i < 2; i++) await appendedAt(it, drafts.make());
  const { epoch, head } = await it.log.snapshot();
  const append = async (draft: Partial<Draft> = {}): Promise<string> =>
    (await it.log.append([drafts.make({ labels: [{ high: 5, low: 2 }], ...draft })])).epoch;
  return { keys: redisKeys(`log${count}`), log: it.log, epoch, last: head, append };
}

/** Cuts so many bytes off the end of a string. */
async function cut(key: string, bytes: number): Promise<void> {
  await redis.admin.set(key, await redis.admin.getrangeBuffer(key, 0, -1 - bytes));
}

describe('a stream whose last entry is gone', () => {
  it.each<[string, (stream: string, last: number) => Promise<unknown>]>([
    ['because all were trimmed', (stream) => redis.admin.xtrim(stream, 'MAXLEN', 0)],
    ['because it was deleted', (stream, last) => redis.admin.xdel(stream, `${last}-0`)],
  ])('is still of its epoch %s', async (_why, lose) => {
    const { log, keys, epoch, last, append } = await filled();
    expect(await lose(keys.stream, last)).toBeGreaterThan(0);
    expect(await log.snapshot()).toMatchObject({ epoch });
    expect(await append()).toBe(epoch);
    await log.close();
  });

  it('is not, when it was made anew', async () => {
    const { log, keys, epoch } = await filled();
    await redis.admin.del(keys.stream);
    await redis.admin.xadd(keys.stream, '0-1', epoch, '');
    expect((await log.snapshot()).epoch).not.toBe(epoch);
    await log.close();
  });

  it('shows a gap to who has not applied all, when it was made anew and appended to', async () => {
    const { log, keys, epoch, last, append } = await filled();
    await redis.admin.del(keys.stream);
    await redis.admin.xadd(keys.stream, '0-1', epoch, '');
    expect(await append()).toBe(epoch);
    const [first] = (await log.read({ epoch, number: 1 }, { wait: 0, limit: 10 })).records;
    expect(first?.prev).toBe(last);
    await log.close();
  });
});

describe('an append', () => {
  it.each<[string, (keys: Filled['keys']) => Promise<unknown>, Partial<Draft>?]>([
    ['the state is gone', ({ log }) => redis.admin.del(log)],
    ['the stream is gone', ({ stream }) => redis.admin.del(stream)],
    ['the stream is something else', ({ stream }) => redis.admin.set(stream, 'else')],
    ['the stream has later entries', ({ stream }) => redis.admin.xadd(stream, `${2 ** 53}-0`, 'a', 'b')],
    ['the table is gone', ({ table }) => redis.admin.del(table)],
    ['the table is cut', ({ table }) => cut(table, 4_096)],
    // The write makes it as long as it was.
    ['the last slot of the table is cut', ({ table }) => cut(table, 8), { labels: [{ high: 1_023, low: 0 }] }],
    ['the table was longer', ({ table }) => redis.admin.append(table, 'x')],
    ['the bans are gone, and it announces', ({ bans }) => redis.admin.del(bans), { kind: 'announce' }],
    [
      'the table is of another epoch, and it announces',
      ({ table }) => redis.admin.setrange(table, 0, 'x'),
      { kind: 'announce' },
    ],
  ])('begins another epoch where %s', async (_what, lose, draft) => {
    const it = await filled();
    await lose(it.keys);
    const epoch = await it.append(draft);
    expect(epoch).not.toBe(it.epoch);
    expect(await it.log.snapshot()).toMatchObject({ epoch });
    // What was appended is there.
    expect((await it.log.read({ epoch, number: 0 }, { wait: 0, limit: 10 })).records).toHaveLength(1);
    await it.log.close();
  });

  it.each<[string, (keys: Filled['keys']) => Promise<unknown>, Partial<Draft>?]>([
    ['bans', ({ bans }) => redis.admin.del(bans)],
    ['bans, and adds to them', ({ bans }) => redis.admin.del(bans), { patterns: ['a*'] }],
    ['epoch of the table', ({ table }) => redis.admin.setrange(table, 0, 'x')],
    ['table that it does not write to', ({ table }) => redis.admin.del(table), { labels: [] }],
  ])('does not miss the %s, but whoever copies the state does', async (_what, lose, draft) => {
    const it = await filled();
    await lose(it.keys);
    expect(await it.append(draft)).toBe(it.epoch);
    expect((await it.log.snapshot()).epoch).not.toBe(it.epoch);
    await it.log.close();
  });

  it('looks at all when it is the first of its connection, which no run of the server outlives', async () => {
    const it = await filled();
    await redis.admin.hset(it.keys.log, 'run', '0'.repeat(40));
    expect(await it.append()).toBe(it.epoch);
    await redis.admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    const epoch = await waitUntil(() => it.append());
    expect(epoch).not.toBe(it.epoch);
    await it.log.close();
  });
});
