import { afterEach, describe, expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { formatToken } from '../coherence/position.ts';
import { type Cause, coverageOf, type Draft } from '../coherence/record.ts';
import { describeTarget, key, type Target } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { partContext } from '../testing/part-context.ts';
import { ScriptedLog } from '../testing/scripted-log.ts';
import type { Gap } from './gap.ts';
import type { Message } from './message.ts';
import { createSubscriber, type Subscriber } from './subscriber.ts';
import type { SubscriberOptions } from './subscriber-options.ts';

interface Entities {
  readonly user: number;
}

/** A subscriber at a log that a test has in its hand. */
class Scene {
  readonly clock = new FakeClock();
  readonly context = partContext(this.clock);
  readonly server = new MemoryLog(logOptions(), this.context);
  readonly log = new ScriptedLog(this.server, () => this.context.stopwatch.now());
  /** What the subscriber was told, in order: ids of users, and reasons of gaps in brackets. */
  readonly heard: string[] = [];
  readonly messages: Message<Entities>[] = [];
  readonly gaps: Gap<Entities>[] = [];

  subscribe(other: Partial<SubscriberOptions<Entities>> = {}): Subscriber<Entities> {
    const subscriber = createSubscriber<Entities>({
      name: 'test',
      log: this.log,
      clock: this.clock,
      random: () => 0.5,
      onMessage: (message) => this.hear(message),
      onGap: (gap) => this.note(gap),
      ...other,
    });
    subscribers.push(subscriber);
    return subscriber;
  }

  hear(message: Message<Entities>): void {
    this.heard.push(message.entityId ?? 'unnamed');
    this.messages.push(message);
  }

  note(gap: Gap<Entities>): void {
    this.heard.push(`(${gap.reason})`);
    this.gaps.push(gap);
  }

  /** Appends one record for each user, in one append. */
  async publish(...users: number[]): Promise<void> {
    await this.server.append(
      users.map((id) => this.draft([key('user', id)], { entityType: 'user', entityId: `${id}` })),
    );
  }

  draft(targets: readonly Target[], cause?: Cause): Draft {
    const id = (++drafts).toString(16).padStart(32, '0');
    return { ...coverageOf(targets), id, origin: 'x#1', time: 0, targets: targets.map(describeTarget), cause };
  }
}

let drafts = 0;
const subscribers: Subscriber<Entities>[] = [];
afterEach(async () => {
  await Promise.all(subscribers.splice(0).map((subscriber) => subscriber.close({ drain: 0 })));
});

async function started(other: Partial<SubscriberOptions<Entities>> = {}) {
  const scene = new Scene();
  const subscriber = scene.subscribe(other);
  await scene.clock.advance(0);
  const { clock, server, log, heard, messages, gaps } = scene;
  return { scene, subscriber, clock, server, log, heard, messages, gaps };
}

describe('messages', () => {
  it('come in the order of the log, from where the subscriber began', async () => {
    const scene = new Scene();
    await scene.publish(1, 2);
    const subscriber = scene.subscribe();
    await scene.clock.advance(0);
    await scene.publish(3, 4);
    await scene.publish(5);
    await scene.clock.advance(0);
    expect(scene.heard).toEqual(['(start)', '3', '4', '5']);
    expect(scene.messages.map(({ position }) => position).at(-1)).toBe(subscriber.position);
    expect(subscriber.statistics()).toMatchObject({ state: 'following', delivered: 3, failures: 0, provenAge: 0 });
  });

  it('come in several readings, if there are more than are read ahead', async () => {
    const { scene, clock, subscriber, heard, log } = await started({ buffer: 2 });
    const before = log.count.read;
    await scene.publish(1, 2, 3, 4, 5);
    await clock.advance(0);
    expect(heard).toEqual(['(start)', '1', '2', '3', '4', '5']);
    expect(log.count.read - before).toBe(3);
    expect(subscriber.statistics()).toMatchObject({ delivered: 5, buffered: 0 });
  });

  it('are handed on one at a time, and nothing is read while one is being handled', async () => {
    const gates = new Map([1, 2, 3].map((id) => [String(id), new Gate()]));
    const began: string[] = [];
    const { scene, clock, subscriber, log } = await started({
      buffer: 2,
      onMessage: async ({ entityId = '' }) => {
        began.push(entityId);
        await gates.get(entityId)?.promise;
      },
    });
    await scene.publish(1, 2, 3);
    await clock.advance(0);
    const { read } = log.count;
    await clock.advance(20_000);
    expect(began).toEqual(['1']);
    expect(log.count.read).toBe(read);
    expect(subscriber.statistics()).toMatchObject({ delivered: 0, buffered: 2 });
    gates.get('1')?.open();
    await clock.advance(0);
    expect(began).toEqual(['1', '2']);
    gates.get('2')?.open();
    gates.get('3')?.open();
    await clock.advance(0);
    expect(began).toEqual(['1', '2', '3']);
    expect(subscriber.statistics()).toMatchObject({ delivered: 3, buffered: 0 });
  });

  it('leave out entities that are not known here, and records that change nothing', async () => {
    const { scene, clock, server, messages, subscriber } = await started({ entities: ['user'] });
    await server.append([
      { ...scene.draft([key('a')]), kind: 'announce' },
      scene.draft([key('post', 1)], { entityType: 'post', entityId: '1' }),
    ]);
    await clock.advance(0);
    expect(messages).toMatchObject([{ entity: undefined, entityId: undefined, targets: [key('post', 1)] }]);
    expect(subscriber.statistics().delivered).toBe(1);
    expect(subscriber.position).toBe(messages[0]?.position);
  });
});

describe('resuming', () => {
  it('continues behind the position that it is given', async () => {
    const scene = new Scene();
    const first = scene.subscribe();
    await scene.clock.advance(0);
    await scene.publish(1, 2);
    await scene.clock.advance(0);
    await first.close();
    await scene.publish(3, 4);
    const second = scene.subscribe({ from: first.position as string });
    await second.ready();
    expect(scene.heard).toEqual(['(start)', '1', '2', '3', '4']);
    await second.close();
    scene.subscribe({ from: scene.messages[0]?.position as string });
    await scene.clock.advance(0);
    expect(scene.heard.slice(5)).toEqual(['2', '3', '4']);
  });

  it('is ready as soon as it has caught up: it does not wait for a message to find that out', async () => {
    const scene = new Scene();
    const { epoch, head } = await scene.server.snapshot();
    const subscriber = scene.subscribe({ from: formatToken({ epoch, number: head }) });
    let ready = false;
    void subscriber.ready().then(() => (ready = true));
    await scene.clock.advance(0);
    expect(ready).toBe(true);
    expect(scene.heard).toEqual([]);
  });

  it('is not ready before everything that it missed was handled', async () => {
    const scene = new Scene();
    const { epoch } = await scene.server.snapshot();
    await scene.publish(1, 2, 3);
    const held = scene.log.hold('read');
    const rest = scene.log.hold('read');
    const subscriber = scene.subscribe({ from: formatToken({ epoch, number: 0 }), buffer: 2 });
    let ready = false;
    void subscriber.ready().then(() => (ready = true));
    held.release();
    await scene.clock.advance(0);
    expect(scene.heard).toEqual(['1', '2']);
    expect([ready, subscriber.statistics().provenAge]).toEqual([false, Number.POSITIVE_INFINITY]);
    rest.release();
    await scene.clock.advance(0);
    expect([ready, subscriber.statistics().provenAge]).toEqual([true, 0]);
  });

  it('gives up a reading that is not answered, and asks again', async () => {
    const { scene, clock, log, heard, subscriber } = await started();
    await clock.advance(600);
    log.hold('read', 'request');
    await clock.advance(5_000);
    await scene.publish(1);
    await clock.advance(1_000);
    expect(heard).toEqual(['(start)', '1']);
    expect(subscriber.statistics().state).toBe('following');
  });

  it('does not count a message as handled whose callback was cut off', async () => {
    const gate = new Gate();
    const aborted: boolean[] = [];
    const { scene, clock, subscriber } = await started({
      onMessage: async ({ entityId }, { signal }) => {
        if (entityId === '1') return;
        await gate.promise;
        aborted.push(signal.aborted);
      },
    });
    await scene.publish(1, 2);
    await clock.advance(0);
    const position = subscriber.position as string;
    const closed = subscriber.close({ drain: '500ms' });
    await clock.advance(500);
    await closed;
    gate.open();
    await clock.advance(0);
    expect(aborted).toEqual([true]);
    scene.subscribe({ from: position });
    await clock.advance(0);
    expect(scene.heard).toEqual(['(start)', '2']);
  });

  it('catches up after the log could not be read', async () => {
    const { scene, clock, log, heard, subscriber } = await started();
    await scene.publish(1);
    await clock.advance(0);
    log.broken = new Error('refused');
    await clock.advance(3_000);
    expect(subscriber.statistics()).toMatchObject({ state: 'waiting' });
    expect(subscriber.statistics().provenAge).toBeGreaterThan(2_000);
    await scene.publish(2, 3);
    log.broken = undefined;
    await clock.advance(2_000);
    expect(heard).toEqual(['(start)', '1', '2', '3']);
    expect(subscriber.statistics()).toMatchObject({ state: 'following' });
  });

  it('waits for a log that cannot be reached at first, with pauses that grow', async () => {
    const scene = new Scene();
    scene.log.broken = new Error('refused');
    const subscriber = scene.subscribe();
    const ready = subscriber.ready('4s').catch((error: unknown) => error);
    await scene.clock.advance(4_000);
    await expect(ready).resolves.toMatchObject({ code: 'NOT_READY' });
    // 20 ms, doubled up to a second.
    expect(scene.log.count.read).toBe(9);
    expect(scene.heard).toEqual([]);
    scene.log.broken = undefined;
    await scene.clock.advance(1_000);
    expect(scene.heard).toEqual(['(start)']);
  });
});

describe('gaps', () => {
  it('are reported where records were trimmed, and it goes on behind them', async () => {
    const { scene, clock, server, log, heard, gaps, subscriber } = await started();
    await scene.publish(1);
    await clock.advance(0);
    const after = subscriber.position;
    log.broken = new Error('refused');
    await clock.advance(1_000);
    await scene.publish(2, 3, 4);
    server.trim(3);
    log.broken = undefined;
    await clock.advance(2_000);
    await scene.publish(5);
    await clock.advance(0);
    expect(heard).toEqual(['(start)', '1', '(trimmed)', '5']);
    expect(gaps[1]).toEqual({ reason: 'trimmed', after, upTo: expect.stringMatching(/\.4$/) });
    expect(subscriber.statistics().gaps).toEqual({ start: 1, trimmed: 1, epoch: 0, failed: 0 });
  });

  it('are reported where all records are gone', async () => {
    const { scene, clock, server, log, heard } = await started();
    log.broken = new Error('refused');
    await clock.advance(1_000);
    await scene.publish(1, 2);
    server.trim(2);
    log.broken = undefined;
    await clock.advance(2_000);
    expect(heard).toEqual(['(start)', '(trimmed)']);
  });

  it('are reported where the log began a new life', async () => {
    const { scene, clock, server, heard } = await started();
    await scene.publish(1);
    await clock.advance(0);
    server.beginEpoch();
    await scene.publish(2);
    await clock.advance(0);
    await scene.publish(3);
    await clock.advance(0);
    expect(heard).toEqual(['(start)', '1', '(epoch)', '2', '3']);
  });

  it('are reported to who resumes at a position of another life', async () => {
    const scene = new Scene();
    scene.subscribe({ from: '1.0123456789abcdef.5' });
    await scene.clock.advance(0);
    expect(scene.gaps).toMatchObject([{ reason: 'epoch', after: '1.0123456789abcdef.5' }]);
  });

  it('are taken from the end of the log before they are reported: what is published meanwhile comes behind', async () => {
    const gate = new Gate();
    const scene = new Scene();
    scene.subscribe({
      onGap: async (gap) => {
        await gate.promise;
        scene.note(gap);
      },
    });
    await scene.clock.advance(0);
    await scene.publish(1);
    gate.open();
    await scene.clock.advance(0);
    expect(scene.heard).toEqual(['(start)', '1']);
  });

  it('let nothing pass until they were taken note of', async () => {
    let broken = true;
    const scene = new Scene();
    const subscriber = scene.subscribe({
      onGap: (gap) => {
        if (broken) throw new Error('disk full');
        scene.note(gap);
      },
    });
    await scene.clock.advance(0);
    await scene.publish(1);
    await scene.clock.advance(60_000);
    expect(scene.heard).toEqual([]);
    expect(subscriber.statistics().failures).toBeGreaterThan(10);
    broken = false;
    await scene.clock.advance(5_000);
    expect(scene.heard).toEqual(['(start)', '1']);
  });

  it('that were not taken note of are reported again to who resumes', async () => {
    const { scene, clock, server, subscriber } = await started({
      onGap: ({ reason }) => {
        if (reason === 'epoch') throw new Error('disk full');
      },
    });
    await scene.publish(1);
    await clock.advance(0);
    server.beginEpoch();
    await clock.advance(1_000);
    expect(subscriber.statistics()).toMatchObject({ delivered: 1, gaps: { epoch: 0 } });
    await subscriber.close();
    scene.heard.length = 0;
    scene.subscribe({ from: subscriber.position as string });
    await clock.advance(0);
    expect(scene.heard).toEqual(['(epoch)']);
    expect(scene.gaps.at(-1)?.after).toBe(scene.messages[0]?.position);
  });

  it('that follow one another are not asked after in a tight loop', async () => {
    const { scene, clock, log, heard } = await started();
    await clock.advance(0);
    const { read } = log.count;
    // Each reading has another epoch than the end that was asked for before it.
    for (let i = 0; i < 50; i++) {
      log.hold('read').release((reading) => ({ ...reading, epoch: 'f'.repeat(16) }));
      log.hold('read').release();
    }
    await scene.publish(1);
    await clock.advance(2_000);
    expect(heard.slice(0, 3)).toEqual(['(start)', '1', '(epoch)']);
    expect(log.count.read - read).toBeLessThan(30);
  });
});

describe('a callback that fails', () => {
  it('is called again, and then the message has been handled', async () => {
    const attempts: string[] = [];
    const { scene, clock, subscriber } = await started({
      onMessage: ({ entityId }, { attempt }) => {
        attempts.push(`${entityId} ${attempt}`);
        if (entityId === '1' && attempt < 3) throw new Error('busy');
      },
    });
    await scene.publish(1, 2);
    await clock.advance(1_000);
    expect(attempts).toEqual(['1 1', '1 2', '1 3', '2 1']);
    expect(subscriber.statistics()).toMatchObject({ delivered: 2, failures: 2, failed: 0 });
  });

  it('again and again makes a gap, and the next message follows', async () => {
    const error = new Error('never');
    const scene = new Scene();
    const subscriber = scene.subscribe({
      retries: 2,
      onMessage: async (message) => {
        if (message.entityId === '1') throw error;
        scene.hear(message);
      },
    });
    await scene.clock.advance(0);
    await scene.publish(1, 2);
    await scene.clock.advance(1_000);
    expect(scene.heard).toEqual(['(start)', '(failed)', '2']);
    expect(scene.gaps[1]).toMatchObject({ reason: 'failed', error, message: { entity: 'user', entityId: '1' } });
    expect(subscriber.statistics()).toMatchObject({ delivered: 1, failures: 3, failed: 1, gaps: { failed: 1 } });
  });

  it('is one that does not end in time: it is told so, and called again', async () => {
    const signals: AbortSignal[] = [];
    const { scene, clock, subscriber } = await started({
      timeout: '1s',
      onMessage: (_message, { attempt, signal }) => {
        signals.push(signal);
        return attempt === 1 ? new Promise(() => {}) : undefined;
      },
    });
    await scene.publish(1);
    await clock.advance(999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await clock.advance(500);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(subscriber.statistics()).toMatchObject({ delivered: 1, failures: 1 });
  });
});

describe('close', () => {
  it('waits for the callback that is running, and hands on nothing more', async () => {
    const gate = new Gate();
    const began: string[] = [];
    const { scene, clock, subscriber } = await started({
      onMessage: async ({ entityId = '' }) => {
        began.push(entityId);
        await gate.promise;
      },
    });
    await scene.publish(1, 2);
    await clock.advance(0);
    let closed = false;
    const closing = subscriber.close().then(() => (closed = true));
    await clock.advance(0);
    expect(closed).toBe(false);
    gate.open();
    await closing;
    await clock.advance(10_000);
    expect(began).toEqual(['1']);
    expect(subscriber.statistics()).toMatchObject({ state: 'closed', delivered: 1 });
  });

  it('leaves no timer of its own, and reads no more', async () => {
    const { clock, subscriber, log } = await started();
    await subscriber.close();
    await clock.advance(5_000);
    expect(clock.timers).toBe(0);
    const { read } = log.count;
    await clock.advance(60_000);
    expect(log.count.read).toBe(read);
  });

  it('ends the pause of a subscriber whose log cannot be reached', async () => {
    const scene = new Scene();
    scene.log.broken = new Error('refused');
    const subscriber = scene.subscribe();
    await scene.clock.advance(3_000);
    await subscriber.close();
    expect(scene.clock.timers).toBe(0);
  });
});

describe('options', () => {
  const good = { name: 'test', log: new Scene().log, onMessage: () => {}, onGap: () => {} };

  it.each<[string, object, string]>([
    ['no name', { name: '' }, 'name: "" is not a name'],
    ['no log', { log: undefined }, 'Spread redis({ url }) into the options'],
    ['no callback', { onMessage: undefined }, 'onMessage: undefined is no function'],
    ['no callback for gaps', { onGap: 1 }, 'onGap: 1 is no function'],
    ['a name that differs in case', { ongap: () => {} }, 'Write onGap'],
    ['an option that nobody reads', { patience: 1 }, 'createSubscriber: there is no option "patience"'],
    ['no number of retries', { retries: -1 }, 'retries: -1 is not a whole number from 0 on'],
    ['no size of a buffer', { buffer: 0 }, 'buffer: 0 is not a whole number from 1 on'],
    ['no time', { timeout: 'soon' }, 'timeout: "soon" is not a duration'],
    ['no position', { from: 'yesterday' }, 'is not a position token'],
  ])('refuse %s', (_what, other, message) => {
    expect(() => createSubscriber({ ...good, ...other })).toThrow(message);
  });
});
