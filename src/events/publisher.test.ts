import { afterEach, describe, expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { parseToken } from '../coherence/position.ts';
import type { LogRecord } from '../coherence/record.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { partContext } from '../testing/part-context.ts';
import { ScriptedLog } from '../testing/scripted-log.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import type { PublisherOptions } from './publisher-options.ts';

interface Entities {
  readonly user: number;
  readonly post: string;
}

/** A publisher at a log that a test has in its hand. */
class Scene {
  readonly clock = new FakeClock();
  readonly context = partContext(this.clock);
  readonly server = new MemoryLog(logOptions(), this.context);
  readonly log = new ScriptedLog(this.server, () => this.context.stopwatch.now());
  readonly publisher: Publisher<Entities>;
  /** Receipts in the order in which they were given. */
  readonly receipts: string[] = [];

  constructor(other: Partial<PublisherOptions<Entities>> = {}) {
    this.publisher = createPublisher<Entities>({
      name: 'shop',
      source: 'users',
      log: this.log,
      clock: this.clock,
      random: () => 0.5,
      ...other,
    });
    publishers.push(this.publisher);
  }

  async started(): Promise<this> {
    await this.clock.advance(0);
    return this;
  }

  /** Publishes one message about each user, and notes when its receipt says what. */
  publish(...users: number[]): void {
    for (const id of users) {
      const since = this.clock.monotonic();
      void this.publisher
        .publish('user', id)
        .then(({ status }) => this.receipts.push(`${id} ${status} after ${this.clock.monotonic() - since}`));
    }
  }

  async records(): Promise<readonly LogRecord[]> {
    const { epoch } = await this.server.snapshot();
    return (await this.server.read({ epoch, number: 0 }, { wait: 0, limit: 1_000 })).records;
  }

  /** The ids of users that the log was told of, in order; `*` for everything. */
  async told(): Promise<string> {
    const records = await this.records();
    return records.map(({ kind, cause }) => (kind === 'everything' ? '*' : (cause?.entityId ?? '?'))).join(' ');
  }
}

const publishers: Publisher<Entities>[] = [];
afterEach(async () => {
  await Promise.all(publishers.splice(0).map((publisher) => publisher.close({ drain: 0 })));
});

describe('publish', () => {
  it('appends a message with all that is known of the change', async () => {
    const { publisher, records } = await bound();
    const details = { action: 'updated', event: 'user.renamed', trace: '00-1-2-01', fields: { org: '7' }, lsn: 5n };
    const receipt = await publisher.publish('user', 42, details);
    const [record] = await records();
    expect(record).toMatchObject({
      kind: 'invalidate',
      origin: publisher.origin,
      targets: ['key user:42'],
      lsn: 5n,
      cause: {
        ...{ entityType: 'user', entityId: '42', action: 'updated', event: 'user.renamed', trace: '00-1-2-01' },
        fields: { org: '7' },
      },
    });
    expect(publisher.origin).toMatch(/^users#[0-9a-f]{8}$/);
    expect(receipt.status).toBe('appended');
    expect(parseToken(receipt.token)?.number).toBe(record?.number);
  });

  it('covers what the entity says', async () => {
    const entities = { user: (id: number) => [key('user', id), tag(`user:${id}`)], post: true } as const;
    const { publisher, records } = await bound({ entities });
    await publisher.publish('user', 42);
    await publisher.publish('post', 'a:b');
    expect((await records()).map(({ targets }) => targets)).toEqual([
      ['key user:42', 'tag user:42'],
      ['key post:a\\:b'],
    ]);
  });

  it('makes each message a record of its own, in order, those of one tick by one append', async () => {
    const { publisher, log, records } = await bound();
    const receipts = await publisher.publishAll([
      { entity: 'user', id: 1, action: 'updated' },
      { entity: 'post', id: 'x' },
      { entity: 'user', id: 2 },
    ]);
    expect(log.count.append).toBe(1);
    const found = await records();
    expect(found.map(({ cause }) => [cause?.entityType, cause?.entityId, cause?.action])).toEqual([
      ['user', '1', 'updated'],
      ['post', 'x', undefined],
      ['user', '2', undefined],
    ]);
    expect(new Set(found.map(({ id }) => id)).size).toBe(3);
    expect(receipts.map(({ token }) => parseToken(token)?.number)).toEqual(found.map(({ number }) => number));
  });

  it('takes targets of every kind', async () => {
    const { publisher, records } = await bound();
    await publisher.publishTargets([key('a'), tag('b'), pattern('c:*')], { event: 'import.done' });
    await publisher.publishTargets(everything());
    expect(await records()).toMatchObject([
      { targets: ['key a', 'tag b', 'pattern c:*'], patterns: ['c:*'], cause: { event: 'import.done' } },
      { kind: 'everything' },
    ]);
  });

  it.each<[string, (publisher: Publisher<Entities>) => Promise<unknown>, string]>([
    [
      'an entity that there is not',
      (it) => it.publish('users' as 'user', 1),
      'There is no entity "users". Known are user',
    ],
    ['an entity of the prototype', (it) => it.publish('toString' as 'user', 1), 'There is no entity'],
    ['an id that is none', (it) => it.publish('user', Number.NaN), 'NaN is no id of "user"'],
    ['an empty id', (it) => it.publish('post', ''), '"" is no id'],
    ['a missing id', (it) => it.publish('post', undefined as never), 'undefined is no id'],
    [
      'details that are no texts',
      (it) => it.publish('user', 1, { fields: { n: 1n as never } }),
      'fields.n: 1 is no text',
    ],
    ['details that are long', (it) => it.publish('user', 1, { fields: { n: 'x'.repeat(9_000) } }), 'Give at most 8192'],
    ['a position of a database that is none', (it) => it.publish('user', 1, { lsn: 5 as never }), 'lsn: 5 is neither'],
    ['no targets', (it) => it.publishTargets([]), 'covers nothing'],
    ['a bare string', (it) => it.publishTargets('user:1' as never), '"user:1" is not a target'],
  ])('refuses %s, and sends nothing', async (_what, publish, message) => {
    const { publisher, log } = await bound({ entities: { user: true, post: true } });
    await expect(publish(publisher)).rejects.toThrow(message);
    await expect(
      publisher.publishAll([
        { entity: 'user', id: 1 },
        { entity: 'post', id: '' },
      ]),
    ).rejects.toMatchObject({ code: 'INVALID_TARGET' });
    expect(log.count.append).toBe(0);
    expect(publisher.statistics().published).toBe(0);
  });
});

describe('while the log takes nothing', () => {
  it('gives receipts after the patience, and sends everything in order when it can', async () => {
    const scene = await new Scene({ patience: 100 }).started();
    scene.log.broken = new Error('refused');
    scene.publish(1, 2);
    await scene.clock.advance(100);
    scene.publish(3);
    await scene.clock.advance(100);
    expect(scene.receipts).toEqual(['1 queued after 100', '2 queued after 100', '3 queued after 100']);
    expect(scene.publisher.statistics()).toMatchObject({ queued: 3, appended: 0, waiting: 3 });
    scene.log.broken = undefined;
    await scene.clock.advance(2_000);
    expect(await scene.told()).toBe('1 2 3');
    expect(scene.publisher.statistics()).toMatchObject({ published: 3, waiting: 0 });
  });

  it('lets a full queue become one message of everything', async () => {
    const scene = await new Scene({ patience: 100, maxQueue: 2 }).started();
    scene.log.broken = new Error('refused');
    scene.publish(1, 2, 3);
    await scene.clock.advance(100);
    scene.log.broken = undefined;
    await scene.clock.advance(2_000);
    expect(await scene.told()).toBe('*');
    expect(scene.publisher.statistics()).toMatchObject({ queued: 3, overflowed: 3, waiting: 0 });
  });

  it('lets nobody wait after failures in a row, until the log takes a message', async () => {
    const scene = await new Scene({ patience: 100, circuit: { failures: 2 } }).started();
    scene.log.broken = new Error('refused');
    scene.publish(1);
    await scene.clock.advance(100);
    expect(scene.publisher.statistics()).toMatchObject({ circuit: 'closed' });
    scene.publish(2);
    await scene.clock.advance(100);
    expect(scene.publisher.statistics()).toMatchObject({ circuit: 'open', opened: 1 });
    scene.publish(3);
    await scene.clock.advance(0);
    expect(scene.receipts).toEqual(['1 queued after 100', '2 queued after 100', '3 queued after 0']);
    scene.log.broken = undefined;
    await scene.clock.advance(2_000);
    expect(scene.publisher.statistics()).toMatchObject({ circuit: 'closed', opened: 1 });
    scene.publish(4);
    await scene.clock.advance(0);
    expect(scene.receipts.at(-1)).toBe('4 appended after 0');
    expect(await scene.told()).toBe('1 2 3 4');
  });

  it('counts a burst that waited together once', async () => {
    const scene = await new Scene({ patience: 100, circuit: { failures: 2 } }).started();
    scene.log.broken = new Error('refused');
    scene.publish(1, 2, 3, 4);
    await scene.clock.advance(50);
    scene.publish(5);
    await scene.clock.advance(100);
    expect(scene.publisher.statistics()).toMatchObject({ queued: 5, circuit: 'closed' });
    scene.publish(6);
    await scene.clock.advance(100);
    expect(scene.publisher.statistics()).toMatchObject({ queued: 6, circuit: 'open' });
  });

  it('counts failures in a row only, and none where the circuit is switched off', async () => {
    const scene = await new Scene({ patience: 100, circuit: { failures: 2 } }).started();
    const off = await new Scene({ patience: 100, circuit: false }).started();
    for (const it of [scene, off]) {
      for (const id of [1, 2, 3]) {
        it.log.broken = new Error('refused');
        it.publish(id);
        await it.clock.advance(100);
        it.log.broken = undefined;
        if (it === scene) await it.clock.advance(2_000);
      }
      expect(it.publisher.statistics()).toMatchObject({ queued: 3, circuit: 'closed', opened: 0 });
    }
  });
});

describe('rate', () => {
  it('lets a burst go at once, and the rest in order, one after the other', async () => {
    const scene = await new Scene({ rate: { perSecond: 10, burst: 2 }, patience: 1_000 }).started();
    scene.publish(1, 2, 3, 4);
    await scene.clock.advance(0);
    expect(scene.publisher.statistics().waiting).toBe(2);
    scene.publish(5);
    await scene.clock.advance(1_000);
    expect(scene.receipts).toEqual([
      ...['1 appended after 0', '2 appended after 0', '3 appended after 100', '4 appended after 200'],
      '5 appended after 300',
    ]);
    scene.publish(6, 7, 8);
    await scene.clock.advance(0);
    expect(scene.receipts.slice(5)).toEqual(['6 appended after 0', '7 appended after 0']);
  });

  it('lets nobody wait longer than the patience', async () => {
    const scene = await new Scene({ rate: { perSecond: 1, burst: 1 }, patience: 250 }).started();
    scene.publish(1, 2);
    await scene.clock.advance(500);
    expect(scene.receipts).toEqual(['1 appended after 0', '2 queued after 250']);
    expect(await scene.told()).toBe('1');
    await scene.clock.advance(500);
    expect(await scene.told()).toBe('1 2');
    expect(scene.publisher.statistics()).toMatchObject({ circuit: 'closed', waiting: 0 });
  });

  it('lets nobody wait for the turn first, and for the log as long again', async () => {
    const scene = await new Scene({ rate: { perSecond: 10, burst: 1 }, patience: 250 }).started();
    scene.publish(1, 2);
    await scene.clock.advance(50);
    scene.log.broken = new Error('refused');
    await scene.clock.advance(450);
    expect(scene.receipts).toEqual(['1 appended after 0', '2 queued after 250']);
    scene.log.broken = undefined;
    await scene.clock.advance(2_000);
    scene.publish(3);
    await scene.clock.advance(0);
    expect(scene.receipts.at(-1)).toBe('3 appended after 0');
    expect(await scene.told()).toBe('1 2 3');
  });

  it('lets those that wait become one of everything when they are too many', async () => {
    const scene = await new Scene({ rate: { perSecond: 1, burst: 1 }, maxQueue: 2 }).started();
    scene.publish(1, 2, 3, 4, 5);
    await scene.clock.advance(10_000);
    // 2, 3 and 4 were one too many, and 5 came behind them.
    expect(await scene.told()).toBe('1 * 5');
    expect(scene.publisher.statistics()).toMatchObject({ published: 5, overflowed: 3, queued: 4, waiting: 0 });
  });
});

describe('close', () => {
  it('sends what waits for its turn', async () => {
    const scene = await new Scene({ rate: { perSecond: 1, burst: 1 } }).started();
    scene.publish(1, 2, 3);
    expect(await scene.publisher.close()).toEqual({ unsent: 0 });
    expect(await scene.told()).toBe('1 2 3');
    await scene.clock.advance(5_000);
    expect(scene.clock.timers).toBe(0);
  });

  it('says what was not sent', async () => {
    const scene = await new Scene().started();
    scene.log.broken = new Error('refused');
    scene.publish(1, 2);
    const closed = scene.publisher.close({ drain: 500 });
    await scene.clock.advance(500);
    expect(await closed).toEqual({ unsent: 2 });
    expect(scene.receipts).toEqual(['1 queued after 250', '2 queued after 250']);
    await expect(scene.publisher.publish('user', 3)).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('options', () => {
  const good = { name: 'shop', log: new Scene().log };

  it.each<[string, object, string]>([
    ['no name', { name: undefined }, 'name: undefined is not a name'],
    ['an option that nobody reads', { onMessage: () => {} }, 'createPublisher: there is no option "onMessage"'],
    ['a source that is none', { source: '' }, 'source: "" is no text'],
    [
      'an entity that is neither',
      { entities: { user: 'user:*' } },
      'entities.user: "user:*" is neither true nor a function',
    ],
    ['no rate', { rate: { perSecond: 0 } }, 'rate.perSecond: 0 is not a number above 0'],
    ['no burst', { rate: { perSecond: 1, burst: 0 } }, 'rate.burst: 0 is not a whole number from 1 on'],
    ['no number of failures', { circuit: { failures: 0 } }, 'circuit.failures: 0 is not a whole number from 1 on'],
  ])('refuse %s', (_what, other, message) => {
    expect(() => createPublisher({ ...good, ...other })).toThrow(message);
  });
});

/** The parts of a scene, started. */
async function bound(other: Partial<PublisherOptions<Entities>> = {}) {
  const scene = await new Scene(other).started();
  return { publisher: scene.publisher, log: scene.log, records: () => scene.records() };
}
