import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storeContract } from '../testing/store-contract.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { elapsed } from '../../test/servers/emptied-redis.ts';
import { commandsTo, type ObservedCommands } from '../../test/servers/redis-connection.ts';
import { type RedisServer, startRedis } from '../../test/servers/redis-server.ts';
import { redisKeys } from './keys.ts';
import { RedisStore } from './store.ts';

const runner = { describe, it, beforeEach, afterEach };
const YEAR = 365 * 86_400_000;

let server: RedisServer;
/** One that has all slots of a Cluster, and refuses commands across them. */
let cluster: RedisServer;
let admin: Redis;
let clusterAdmin: Redis;

beforeAll(async () => {
  [server, cluster] = await Promise.all([startRedis(), startRedis({ args: ['--cluster-enabled', 'yes'] })]);
  admin = new Redis(server.url);
  clusterAdmin = new Redis(cluster.url);
  await clusterAdmin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16383);
  await waitUntil(async () => String(await clusterAdmin.call('CLUSTER', 'INFO')).includes('cluster_state:ok'));
});

afterAll(async () => {
  admin.disconnect();
  clusterAdmin.disconnect();
  await Promise.all([server.stop(), cluster.stop()]);
});

let count = 0;

interface Subject {
  readonly store: RedisStore;
  readonly commands: ObservedCommands;
  readonly elapse: (ms: number) => Promise<void>;
}

function open({ spread = false, eager = false } = {}): Subject {
  const commands = commandsTo(spread ? cluster.url : server.url, { spread });
  const keys = redisKeys(`store${++count}`);
  const store = new RedisStore({ keys, commands, eager, release: () => commands.close() });
  return { store, commands, elapse: (ms) => elapsed(spread ? clusterAdmin : admin, ms) };
}

const close = ({ store }: Subject): Promise<void> => store.close();

const sameTime = 'takes real time, and it is the same command as in the store that reclaims';
const timed = {
  'keeps bytes no longer than their time': sameTime,
  'counts the time anew when bytes are replaced': sameTime,
  'takes a time that is not a whole number: jitter makes such': sameTime,
  'does not count what has run out': sameTime,
};

storeContract(runner, { name: 'a store on Redis', open: () => open(), close, skip: timed });
storeContract(runner, { name: 'a store on Redis that reclaims', open: () => open({ eager: true }), close });
storeContract(runner, {
  name: 'a store spread over a Cluster that reclaims',
  open: () => open({ spread: true, eager: true }),
  close,
  skip: timed,
});

describe('a store on Redis', () => {
  let subject: Subject;

  beforeEach(() => {
    subject = open();
  });

  afterEach(() => subject.store.close());

  /** The names of the commands that were sent meanwhile, each once with its number of arguments. */
  async function sentBy(work: Promise<unknown>): Promise<string[]> {
    await work;
    return subject.commands.sent.splice(0).map(([command, ...args]) => `${String(command)} ${args.length}`);
  }

  it('reads with one command, and writes with one', async () => {
    const { store } = subject;
    expect(await sentBy(store.set('a', Buffer.from('1'), 1_000))).toEqual(['SET 4']);
    expect(await sentBy(store.getMany(['a']))).toEqual(['GET 1']);
    expect(await sentBy(store.getMany(['a', 'b', 'c']))).toEqual(['MGET 3']);
    expect(await sentBy(store.remove(['a', 'b']))).toEqual(['UNLINK 2']);
    expect(await sentBy(store.getMany([]))).toEqual([]);
  });

  it('cuts large batches, so that a server is not kept from others', async () => {
    const { store } = subject;
    const keys = Array.from({ length: 2_001 }, (_, i) => `k${i}`);
    expect(await sentBy(store.set('k2000', Buffer.from('last'), 1_000))).toEqual(['SET 4']);
    const answers = await store.getMany(keys);
    expect(answers).toHaveLength(2_001);
    expect(answers.at(-1)?.toString()).toBe('last');
    expect(await sentBy(Promise.resolve())).toEqual(['MGET 1000', 'MGET 1000', 'GET 1']);
    expect(await sentBy(store.remove(keys))).toEqual(['UNLINK 1000', 'UNLINK 1000', 'UNLINK 1']);
  });

  it('sends what it asks a Cluster in the same turn, each key on its own', async () => {
    await subject.store.close();
    subject = open({ spread: true });
    const { store } = subject;
    expect(await sentBy(store.set('a', Buffer.from('1'), 1_000))).toEqual(['SET 4']);
    const asked = store.getMany(['a', 'b']);
    expect(subject.commands.sent).toHaveLength(2);
    expect(await sentBy(asked)).toEqual(['GET 1', 'GET 1']);
    expect(await sentBy(store.remove(['a', 'b']))).toEqual(['UNLINK 1', 'UNLINK 1']);
  });

  it('keeps nothing longer than a year, and nothing for a time that is not a number', async () => {
    const { store } = subject;
    const name = `store${count}:v:k`;
    await store.set('k', Buffer.from('1'), Number.POSITIVE_INFINITY);
    expect(await admin.pttl(name)).toBeGreaterThan(YEAR - 60_000);
    expect(await admin.pttl(name)).toBeLessThanOrEqual(YEAR);
    await store.set('k', Buffer.from('2'), Number.NaN);
    expect(await admin.exists(name)).toBe(0);
  });

  it('has no way to reclaim unless it keeps index sets, and writes none', async () => {
    expect(subject.store.reclaim).toBeUndefined();
    await subject.store.set('a:b', Buffer.from('1'), 1_000);
    expect(await admin.keys(`store${count}:i:*`)).toEqual([]);
  });

  it('rejects what the server refuses', async () => {
    await admin.lpush(`store${count}:v:list`, 'x');
    await expect(subject.store.getMany(['list'])).rejects.toThrow('WRONGTYPE');
  });

  it('keeps the answers of those servers of a Cluster that answer', async () => {
    const store = new RedisStore({
      keys: redisKeys('c'),
      commands: {
        spread: true,
        send: async (key) => {
          if (key === 'c:v:down') throw new Error('CLUSTERDOWN');
          return Buffer.from(key);
        },
        close: () => {},
      },
      eager: false,
      release: () => {},
    });
    const [down, up] = await store.getMany(['down', 'up']);
    expect([down, Buffer.from(up ?? []).toString()]).toEqual([undefined, 'c:v:up']);
    await expect(store.getMany(['down', 'down'])).rejects.toThrow('CLUSTERDOWN');
  });
});
