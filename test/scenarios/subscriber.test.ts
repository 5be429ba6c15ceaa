import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../servers/redis-server.ts';
import { describeTarget } from '../../src/coherence/target.ts';
import { type Cache, createCache, key, pattern, tag } from '../../src/index.ts';
import { redis } from '../../src/redis/index.ts';
import { Gate } from '../../src/testing/gate.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import type { Gap } from '../../src/events/gap.ts';
import type { Message } from '../../src/events/message.ts';
import { createPublisher, type Publisher } from '../../src/events/publisher.ts';
import { createSubscriber, type Subscriber } from '../../src/events/subscriber.ts';
import type { SubscriberOptions } from '../../src/events/subscriber-options.ts';

interface Entities {
  readonly user: number;
}

let server: RedisServer;
let admin: Redis;
let publisher: Publisher<Entities>;
let open: (Publisher<Entities> | Subscriber<Entities> | Cache)[];
/** What the subscriber was told: ids of users, and reasons of gaps in brackets. */
let heard: string[];
let messages: Message<Entities>[];
let gaps: Gap<Entities>[];

const parts = () => redis({ url: server.url });

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url, { maxRetriesPerRequest: null });
  admin.on('error', () => {});
});

afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

beforeEach(async () => {
  await admin.flushall();
  [open, heard, messages, gaps] = [[], [], [], []];
  publisher = closed(createPublisher<Entities>({ name: 'shop', source: 'users', ...parts() }));
});

afterEach(async () => {
  await Promise.all(open.map((it) => it.close({ drain: 0 })));
});

/** Ends with the test. */
function closed<T extends Publisher<Entities> | Subscriber<Entities> | Cache>(it: T): T {
  open.push(it);
  return it;
}

function hear(message: Message<Entities>): void {
  messages.push(message);
  heard.push(message.entityId ?? 'unnamed');
}

async function subscribe(other: Partial<SubscriberOptions<Entities>> = {}): Promise<Subscriber<Entities>> {
  const subscriber = createSubscriber<Entities>({
    name: 'shop',
    ...parts(),
    onMessage: hear,
    onGap: (gap) => {
      gaps.push(gap);
      heard.push(`(${gap.reason})`);
    },
    ...other,
  });
  closed(subscriber);
  await subscriber.ready();
  return subscriber;
}

function publishAll(from: number, to: number): Promise<unknown> {
  return Promise.all(numbers(from, to).map((id) => publisher.publish('user', id)));
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

const texts = (from: number, to: number): string[] => numbers(from, to).map(String);

describe('a subscriber on Redis', () => {
  it('hears of publishers and of caches, whatever they invalidate', async () => {
    const subscriber = await subscribe();
    const cache = closed(createCache({ name: 'shop', ...parts() }));
    await cache.ready();
    const { token } = await publisher.publish('user', 42, { action: 'updated', fields: { org: '7' } });
    // Of one tick, and with nothing else to tell: they share a record.
    await Promise.all([cache.invalidate(key('fr:budgets', 'ORG1')), cache.invalidate(tag('org:7'), pattern('q:*'))]);
    await waitUntil(() => messages.length === 2);
    expect(messages[0]).toMatchObject({
      ...{ entity: 'user', entityId: '42', action: 'updated', fields: { org: '7' }, source: 'users' },
      ...{ origin: publisher.origin, position: token, targets: [key('user', 42)], exact: true },
    });
    expect(messages[1]).toMatchObject({ entity: undefined, source: 'shop', exact: true });
    expect(messages[1]?.targets.map(describeTarget)).toEqual([
      ...['key fr:budgets:ORG1', 'tag org:7', 'pattern q:*', 'key fr\\:budgets:ORG1'],
    ]);
    await waitUntil(() => subscriber.position === messages[1]?.position);
  });

  it('keeps the order of each of several publishers', async () => {
    await subscribe();
    const other = closed(createPublisher<Entities>({ name: 'shop', source: 'posts', ...parts() }));
    await Promise.all(numbers(1, 200).flatMap((id) => [publisher.publish('user', id), other.publish('user', id)]));
    await waitUntil(() => messages.length === 400);
    const from = (source: string) => messages.filter((it) => it.source === source).map((it) => it.entityId);
    expect(from('users')).toEqual(texts(1, 200));
    expect(from('posts')).toEqual(texts(1, 200));
  });

  it('misses nothing when its connections are cut while messages are published', async () => {
    const subscriber = await subscribe();
    for (let round = 0; round < 10; round++) {
      const published = publishAll(round * 10 + 1, round * 10 + 10);
      await admin.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await published;
    }
    await waitUntil(() => publisher.statistics().waiting === 0 && new Set(messages.map(({ id }) => id)).size === 100);
    // What was sent again after a cut may come twice, with the same id.
    const first = new Map(messages.map((it) => [it.id, it.entityId]));
    expect([...first.values()]).toEqual(texts(1, 100));
    expect(subscriber.statistics().gaps).toMatchObject({ trimmed: 0, epoch: 0, failed: 0 });
  });

  it('resumes in another process behind what was handled last', async () => {
    const before = await subscribe();
    await publishAll(1, 3);
    await waitUntil(() => messages.length === 3);
    await before.close();
    await publishAll(4, 6);
    await subscribe({ from: before.position as string });
    expect(heard).toEqual(['(start)', ...texts(1, 6)]);
  });

  it('reads nothing while its callback is busy, and reports a gap when the log did not keep what it missed', async () => {
    const gate = new Gate();
    const little = redis({ url: server.url, history: '20kb' });
    publisher = closed(createPublisher<Entities>({ name: 'shop', ...little }));
    const subscriber = await subscribe({
      buffer: 10,
      onMessage: async (message) => {
        hear(message);
        await gate.promise;
      },
    });
    await publisher.publish('user', 0);
    await waitUntil(() => messages.length === 1);
    for (let round = 0; round < 10; round++) await publishAll(1, 100);
    expect(heard).toEqual(['(start)', '0']);
    expect(subscriber.statistics().buffered).toBeLessThanOrEqual(10);
    gate.open();
    await waitUntil(() => gaps.length === 2);
    await publisher.publish('user', 5_000);
    await waitUntil(() => heard.at(-1) === '5000');
    expect(heard.filter((it) => it.startsWith('('))).toEqual(['(start)', '(trimmed)']);
    expect(messages.length).toBeLessThan(1_000);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['FLUSHALL', () => admin.flushall()],
    ['the loss of the stream alone', () => admin.del('{shop}:stream')],
    ['a restart of a server that kept nothing', () => server.restart()],
  ])('reports a gap after %s, and goes on', async (_what, lose) => {
    await subscribe();
    await publisher.publish('user', 1);
    await waitUntil(() => messages.length === 1);
    await lose();
    await waitUntil(() => gaps.length === 2);
    await publisher.publish('user', 2);
    await waitUntil(() => heard.at(-1) === '2');
    expect(gaps.map(({ reason }) => reason)).toEqual(['start', 'epoch']);
  });

  it('begins, waits and ends without a server; what was published meanwhile comes when there is one', async () => {
    const subscriber = await subscribe();
    await server.kill();
    await waitUntil(() => subscriber.statistics().state === 'waiting');
    expect((await publisher.publish('user', 1)).status).toBe('queued');
    const late = createSubscriber({ name: 'shop', ...parts(), onMessage: () => {}, onGap: () => {} });
    await late.close();
    await server.restart();
    await waitUntil(() => messages.length > 0);
    expect(heard).toEqual(['(start)', '(epoch)', '1']);
  });

  it('calls a callback that failed again, and makes a gap of a message that it cannot handle', async () => {
    await subscribe({
      retries: 1,
      onMessage: (message, { attempt }) => {
        if (message.entityId === '2' || (message.entityId === '1' && attempt === 1)) throw new Error('busy');
        hear(message);
      },
    });
    await publishAll(1, 3);
    await waitUntil(() => heard.at(-1) === '3');
    expect(heard).toEqual(['(start)', '1', '(failed)', '3']);
    expect(gaps[1]).toMatchObject({ reason: 'failed', message: { entityId: '2' } });
  });
});
