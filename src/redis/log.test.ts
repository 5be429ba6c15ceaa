import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../cache/system-clock.ts';
import { logOptions } from '../coherence/log-options.ts';
import { checkContract } from '../testing/check-contract.ts';
import { logContract } from '../testing/log-contract.ts';
import { appendedAt, Drafts, type LogSubject } from '../testing/log-subject.ts';
import { partContext } from '../testing/part-context.ts';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import type { Connection } from './connection.ts';
import { redisKeys } from './keys.ts';
import { Link } from './link.ts';
import { LogScripts } from './log-scripts.ts';
import { RedisLog } from './log.ts';
import { RollCall } from './roll-call.ts';

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});

afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

async function open(): Promise<Connection> {
  const client = new Redis(server.url, { lazyConnect: true, retryStrategy: () => null, enableOfflineQueue: false });
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
    elapse: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    trim: (number) => admin.xtrim(keys.stream, 'MINID', `${number}-1`),
    lose: () => admin.flushall(),
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

describe('a stream whose last entry is gone', () => {
  async function filled(): Promise<{ log: RedisLog; stream: string; epoch: string; last: number }> {
    const it = subject();
    const drafts = new Drafts();
    for (let i = 0; i < 2; i++) await appendedAt(it, drafts.make());
    const { epoch, head } = await it.log.snapshot();
    return { log: it.log, stream: redisKeys(`log${count}`).stream, epoch, last: head };
  }

  it.each<[string, (stream: string, last: number) => Promise<unknown>]>([
    ['because all were trimmed', (stream) => admin.xtrim(stream, 'MAXLEN', 0)],
    ['because it was deleted', (stream, last) => admin.xdel(stream, `${last}-0`)],
  ])('is still of its epoch %s', async (_why, lose) => {
    const { log, stream, epoch, last } = await filled();
    expect(await lose(stream, last)).toBeGreaterThan(0);
    expect(await log.append([new Drafts().make()])).toMatchObject({ epoch });
    await log.close();
  });

  it('is not, when it was made anew', async () => {
    const { log, stream, epoch } = await filled();
    await admin.del(stream);
    await admin.xadd(stream, '0-1', epoch, '');
    expect(await log.append([new Drafts().make()])).not.toMatchObject({ epoch });
    await log.close();
  });
});
