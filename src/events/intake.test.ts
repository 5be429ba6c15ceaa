import { afterEach, describe, expect, it } from 'vitest';
import { createCache } from '../cache/cache.ts';
import { memoryLog } from '../coherence/memory-log.ts';
import { key } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { createIntake, type Intake } from './intake.ts';
import type { IntakeEvent } from './intake-event.ts';
import type { EventHandler, IntakeOptions } from './intake-options.ts';
import type { Taken } from './lane.ts';
import { createRules } from './rules.ts';

type Changed = { readonly type: 'changed'; readonly id: number } | { readonly type: 'other'; readonly id: number };

const closing: { close(options: { drain: number }): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const it of closing.splice(0).toReversed()) await it.close({ drain: 0 });
});

type Options = Partial<IntakeOptions<Changed>> & { until?: 'handled' | 'appended' };

/** An intake on a cache with rules, whose log and rules a test can break. */
class Scene {
  /** The intake's; that of the cache stands still. */
  readonly clock = new FakeClock();
  readonly cache = createCache({ name: 'test', clock: new FakeClock() });
  readonly heard: IntakeEvent<Changed>[] = [];
  /** The ids that were handed to the rules, in order, each attempt. */
  readonly attempts: number[] = [];
  /** Ids for which the rules throw. */
  readonly poison = new Set<number>();
  readonly rules = createRules<Changed>(this.cache, { changed: (e) => key('user', e.id), other: () => undefined });
  readonly handler: EventHandler<Changed> = {
    handle: (event) => {
      this.attempts.push(event.id);
      if (this.poison.has(event.id)) throw new Error(`no rule for ${event.id}`);
      return this.rules.handle(event);
    },
  };

  constructor() {
    closing.push(this.cache);
  }

  intake(options: Options = {}, handler = this.handler): Intake<Changed> {
    const intake = createIntake<Changed>(handler, {
      fallback: this.cache,
      report: (event) => this.heard.push(event),
      clock: this.clock,
      random: () => 0.5,
      ...options,
    });
    closing.push(intake);
    return intake;
  }

  types(): string[] {
    return this.heard.map(({ type }) => type);
  }

  async keep(...ids: number[]): Promise<void> {
    for (const id of ids) await this.cache.getOrSet(['user', id], () => `user ${id}`, { ttl: '1h' });
  }

  async cached(...ids: number[]): Promise<number[]> {
    const values = await Promise.all(ids.map(async (id) => ((await this.cache.has(['user', id])) ? [id] : [])));
    return values.flat();
  }
}

function event(id: number, type: Changed['type'] = 'changed'): Changed {
  return { type, id };
}

describe('an intake', () => {
  it('handles the events of a source in order, one at a time, and says that their invalidation is in the log', async () => {
    const scene = new Scene();
    const gate = new Gate();
    const running: number[] = [];
    const handler = {
      handle: async (it: Changed) => {
        running.push(it.id);
        await gate.promise;
        scene.attempts.push(it.id);
        return scene.rules.handle(it);
      },
    };
    const intake = scene.intake({}, handler);
    await scene.keep(1, 2, 3);
    const taken = [1, 2].map((id) => intake.take(event(id)));
    await scene.clock.advance(0);
    expect(running).toEqual([1]);
    expect(intake.statistics()).toMatchObject({ waiting: 2, handled: 0 });
    gate.open();
    expect(await Promise.all(taken)).toEqual([{ status: 'handled' }, { status: 'handled' }]);
    expect(scene.attempts).toEqual([1, 2]);
    expect(await scene.cached(1, 2, 3)).toEqual([3]);
    expect(intake.statistics()).toEqual({ handled: 2, failures: 0, givenUp: 0, lost: 0, waiting: 0, parked: 0 });
  });

  it('tries a failed event again after pauses that grow, and the next one only then', async () => {
    const scene = new Scene();
    const intake = scene.intake();
    scene.poison.add(1);
    const both = [intake.take(event(1)), intake.take(event(2))];
    await scene.clock.advance(49);
    expect(scene.attempts).toEqual([1]);
    await scene.clock.advance(1);
    await scene.clock.advance(99);
    expect(scene.attempts).toEqual([1, 1]);
    scene.poison.clear();
    await scene.clock.advance(1);
    expect(await Promise.all(both)).toEqual([{ status: 'handled' }, { status: 'handled' }]);
    expect(scene.attempts).toEqual([1, 1, 1, 2]);
    expect(scene.types()).toEqual(['failed', 'failed', 'handled', 'handled']);
  });

  it('does not let one source wait for another', async () => {
    const scene = new Scene();
    const intake = scene.intake();
    scene.poison.add(1);
    void intake.take(event(1), { source: 'a' });
    expect(await intake.take(event(2), { source: 'b' })).toEqual({ status: 'handled' });
    expect(scene.attempts).toEqual([1, 2]);
  });

  it('covers everything in place of an event that it gives up, parks it, and goes on', async () => {
    const scene = new Scene();
    const intake = scene.intake({ retries: 1 });
    scene.poison.add(1);
    await scene.keep(1, 2, 3);
    const taken = [intake.take(event(1), { source: 's', id: 'e1' }), intake.take(event(2), { source: 's' })];
    await scene.clock.advance(50);
    const error = new Error('no rule for 1');
    expect(await Promise.all(taken)).toEqual([{ status: 'covered', error }, { status: 'handled' }]);
    expect(await scene.cached(1, 2, 3)).toEqual([]);
    const parked = { source: 's', id: 'e1', events: [event(1)], error, covered: true, since: 1_700_000_000_050 };
    expect(intake.parked()).toEqual([parked]);
    expect(scene.types()).toEqual(['failed', 'failed', 'parked', 'handled']);
  });

  it('tries an event once only while the last one of its type was given up', async () => {
    const scene = new Scene();
    const intake = scene.intake({ retries: 2 });
    for (const id of [1, 2, 3]) scene.poison.add(id);
    const all = [1, 2, 10, 3].map((id) => intake.take(event(id)));
    await scene.clock.advance(50);
    await scene.clock.advance(100);
    // 2 has one attempt; 10 is handled, so 3 has all of its attempts again.
    expect(scene.attempts).toEqual([1, 1, 1, 2, 10, 3]);
    await scene.clock.advance(1_000);
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(['covered', 'covered', 'handled', 'covered']);
    expect(scene.attempts).toEqual([1, 1, 1, 2, 10, 3, 3, 3]);
  });

  it('keeps an event that it gives up, without a cache to fall back on, until it is retried by hand', async () => {
    const scene = new Scene();
    const intake = scene.intake({ fallback: false, retries: 0 });
    scene.poison.add(1);
    await scene.keep(1, 2);
    expect(await intake.take(event(1))).toEqual({ status: 'parked', error: new Error('no rule for 1') });
    expect(await scene.cached(1, 2)).toEqual([1, 2]);
    expect(await intake.retryParked()).toEqual({ handled: 0, parked: 1 });
    scene.poison.clear();
    expect(await intake.retryParked()).toEqual({ handled: 1, parked: 0 });
    expect(await scene.cached(1, 2)).toEqual([2]);
  });

  it('forgets a parked event when it comes again and is handled', async () => {
    const scene = new Scene();
    const intake = scene.intake({ retries: 0 });
    scene.poison.add(1);
    await intake.take(event(1), { source: 's', id: 'e1' });
    await intake.take(event(1), { source: 's', id: 'e1' });
    expect(intake.parked()).toHaveLength(1);
    scene.poison.clear();
    await intake.take(event(1), { source: 's', id: 'e1' });
    expect(intake.parked()).toEqual([]);
  });

  it('reports the oldest parked event when it leaves for want of room, and counts it as lost unless it was covered', async () => {
    const scene = new Scene();
    for (const id of [1, 2, 3]) scene.poison.add(id);
    const bare = scene.intake({ fallback: false, retries: 0, maxParked: 2 });
    for (const id of [1, 2, 3]) await bare.take(event(id));
    expect(bare.parked().map(({ id }) => id)).toEqual(['2', '3']);
    expect(bare.statistics()).toMatchObject({ givenUp: 3, lost: 1, parked: 2 });
    expect(scene.heard.at(-1)).toMatchObject({ type: 'unparked', parked: { id: '1', covered: false } });

    const safe = scene.intake({ retries: 0, maxParked: 2 });
    for (const id of [1, 2, 3]) await safe.take(event(id));
    expect(safe.statistics()).toMatchObject({ givenUp: 3, lost: 0, parked: 2 });
    expect(scene.heard.at(-1)).toMatchObject({ type: 'unparked', parked: { id: '1', covered: true } });
  });

  it('parks what it cannot cover because the cache is closed, and says so', async () => {
    const scene = new Scene();
    const intake = scene.intake({ retries: 0 });
    await scene.cache.close();
    expect(await intake.take(event(1))).toMatchObject({ status: 'parked', error: { code: 'CLOSED' } });
    expect(intake.parked()).toMatchObject([{ covered: false }]);
  });

  it('gives up all that wait when there are too many, as one record that covers everything', async () => {
    const scene = new Scene();
    const intake = scene.intake({ maxQueue: 3 });
    scene.poison.add(1);
    await scene.keep(1, 2, 3, 4);
    const taken = [1, 2, 3].map((id) => intake.take(event(id)));
    expect(intake.full).toBe(true);
    expect((await intake.take(event(4))).status).toBe('covered');
    expect(await Promise.all(taken.slice(1))).toMatchObject([{ status: 'covered' }, { status: 'covered' }]);
    expect(await scene.cached(1, 2, 3, 4)).toEqual([]);
    expect(scene.heard.at(-1)).toEqual({ type: 'overflowed', count: 3, covered: true });
    // The one that had begun goes on.
    scene.poison.clear();
    await scene.clock.advance(50);
    expect(await taken[0]).toEqual({ status: 'handled' });
  });

  it('parks what does not fit in where there is nothing to fall back on', async () => {
    const scene = new Scene();
    const intake = scene.intake({ maxQueue: 1, fallback: false });
    scene.poison.add(1);
    void intake.take(event(1));
    expect(await intake.take(event(2))).toMatchObject({ status: 'parked', error: { code: 'UNAVAILABLE' } });
    expect(intake.parked()).toMatchObject([{ events: [event(2)] }]);
  });

  it('gives an attempt so much time, and ends it by its signal', async () => {
    const scene = new Scene();
    const intake = scene.intake({ timeout: '1s', retries: 0 }, { handle: () => new Promise(() => {}) });
    const taken = intake.take(event(1));
    await scene.clock.advance(1_000);
    expect(await taken).toMatchObject({ status: 'covered', error: { code: 'LOAD_TIMEOUT' } });
    expect(scene.clock.timers).toBe(0);
  });

  it('takes what a mapping makes of something: none, several, and again where it has failed', async () => {
    const scene = new Scene();
    const intake = scene.intake();
    expect(await intake.take(() => undefined)).toEqual({ status: 'handled' });
    expect(await intake.take(() => [event(1), event(2)])).toEqual({ status: 'handled' });
    expect(scene.attempts).toEqual([1, 2]);
    let reads = 0;
    const late = intake.take(() => {
      if (++reads < 3) throw new Error('not yet');
      return event(3);
    });
    await scene.clock.advance(50);
    expect(await late).toEqual({ status: 'handled' });
    expect([scene.attempts, reads]).toEqual([[1, 2, 3], 3]);
  });

  it('reads an event when it arrives, whatever its source does with it afterwards', async () => {
    const scene = new Scene();
    const intake = scene.intake();
    scene.poison.add(1);
    void intake.take(event(1));
    const payload = { id: 2 };
    const second = intake.take(() => event(payload.id));
    payload.id = 99;
    scene.poison.clear();
    await scene.clock.advance(50);
    await second;
    expect(scene.attempts).toEqual([1, 1, 2]);
  });

  it.each([42, null, { id: 1 }, 'changed'])('gives up %j, which is no domain event', async (wrong) => {
    const scene = new Scene();
    const intake = scene.intake({ retries: 0 });
    const taken = await intake.take(() => wrong as unknown as Changed);
    expect(taken).toMatchObject({ status: 'covered', error: { code: 'INVALID_OPTION' } });
    expect(intake.parked()).toMatchObject([{ events: undefined }]);
  });

  it('survives a report and a logger that throw', async () => {
    const scene = new Scene();
    const fail = (): never => {
      throw new Error('no report');
    };
    const intake = scene.intake({ report: fail, logger: { debug: fail, info: fail, warn: fail, error: fail } });
    expect(await intake.take(event(1))).toEqual({ status: 'handled' });
  });

  it('covers everything when the source may have lost events', async () => {
    const scene = new Scene();
    const intake = scene.intake();
    await scene.keep(1);
    expect(await intake.missed('s', 'reconnect')).toBe(true);
    expect(await scene.cached(1)).toEqual([]);
    expect(scene.heard).toEqual([{ type: 'gap', source: 's', cause: 'reconnect', covered: true }]);
    expect(await scene.intake({ fallback: false }).missed('s', 'reconnect')).toBe(false);
  });
});

describe('an intake whose log does not take its records', () => {
  /** The handler's receipts say `queued` until the test says otherwise. */
  function queueing(scene: Scene) {
    const log = { down: true };
    const handler = {
      handle: (it: Changed) => {
        scene.attempts.push(it.id);
        return Promise.resolve({ status: log.down ? 'queued' : 'applied' });
      },
    };
    return { log, handler };
  }

  it('says queued at once where the source does not wait', async () => {
    const scene = new Scene();
    const { handler } = queueing(scene);
    expect(await scene.intake({}, handler).take(event(1))).toEqual({ status: 'queued' });
  });

  it('waits for the log where the source is told only then, and never counts that as a failure of the event', async () => {
    const scene = new Scene();
    const { log, handler } = queueing(scene);
    const intake = scene.intake({ until: 'appended', retries: 0 }, handler);
    const taken: Taken[] = [];
    void intake.take(event(1)).then((it) => taken.push(it));
    void intake.take(event(2)).then((it) => taken.push(it));
    await scene.clock.advance(600_000);
    expect(taken).toEqual([]);
    expect(new Set(scene.attempts)).toEqual(new Set([1]));
    expect(intake.statistics()).toMatchObject({ failures: 0, givenUp: 0, handled: 0 });
    log.down = false;
    await scene.clock.advance(5_000);
    expect(taken).toEqual([{ status: 'handled' }, { status: 'handled' }]);
    expect(scene.attempts.at(-1)).toBe(2);
  });

  it('does so for what covers everything in place of an event, too', async () => {
    const scene = new Scene();
    let down = true;
    const fallback = {
      invalidate: () => Promise.resolve({ status: down ? 'queued' : 'applied', token: '1.x' } as const),
    };
    const intake = scene.intake({ until: 'appended', retries: 0, fallback });
    scene.poison.add(1);
    const taken: Taken[] = [];
    void intake.take(event(1)).then((it) => taken.push(it));
    await scene.clock.advance(60_000);
    expect(taken).toEqual([]);
    down = false;
    await scene.clock.advance(5_000);
    expect(taken).toMatchObject([{ status: 'covered' }]);
    expect(scene.attempts).toEqual([1]);
  });

  it('takes several receipts as queued if one of them is', async () => {
    const scene = new Scene();
    const handler = { handle: () => Promise.resolve([{ status: 'applied' }, { status: 'queued' }]) };
    expect(await scene.intake({}, handler).take(event(1))).toEqual({ status: 'queued' });
  });
});

describe('closing an intake', () => {
  it('lets what waits be handled, and takes nothing more', async () => {
    const scene = new Scene();
    const intake = scene.intake();
    scene.poison.add(1);
    const taken = [intake.take(event(1)), intake.take(event(2))];
    const closed = intake.close({ drain: '1s' });
    scene.poison.clear();
    expect(await intake.take(event(3))).toEqual({ status: 'closed' });
    await scene.clock.advance(50);
    expect(await closed).toEqual({ unhandled: [], covered: false });
    expect(await Promise.all(taken)).toEqual([{ status: 'handled' }, { status: 'handled' }]);
    expect(scene.clock.timers).toBe(0);
  });

  it('says what was not handled after the drain, and covers everything for it', async () => {
    const scene = new Scene();
    const intake = scene.intake({}, { handle: () => new Promise(() => {}) });
    await scene.keep(1);
    const taken = [1, 2].map((id) => intake.take(event(id), { source: 's', id: `e${id}` }));
    const closed = intake.close({ drain: '1s' });
    await scene.clock.advance(1_000);
    const unhandled = [
      { source: 's', id: 'e1' },
      { source: 's', id: 'e2' },
    ];
    expect(await closed).toEqual({ unhandled, covered: true });
    expect(await Promise.all(taken)).toEqual([{ status: 'closed' }, { status: 'closed' }]);
    expect(await scene.cached(1)).toEqual([]);
    expect(scene.heard.at(-1)).toEqual({ type: 'closed', unhandled: 2, covered: true });
    expect(scene.clock.timers).toBe(0);
  });

  it('leaves what was not handled to a source that brings it again', async () => {
    const scene = new Scene();
    const intake = scene.intake({ until: 'appended' }, { handle: () => new Promise(() => {}) });
    await scene.keep(1);
    void intake.take(event(1));
    const closed = intake.close({ drain: 0 });
    await scene.clock.advance(0);
    expect(await closed).toMatchObject({ unhandled: [{ source: 'local' }], covered: false });
    expect(await scene.cached(1)).toEqual([1]);
  });

  it('ends a pause between attempts', async () => {
    const scene = new Scene();
    const intake = scene.intake();
    scene.poison.add(1);
    const taken = intake.take(event(1));
    const closed = intake.close({ drain: 10 });
    await scene.clock.advance(10);
    expect((await closed).unhandled).toHaveLength(1);
    expect(await taken).toEqual({ status: 'closed' });
    expect([scene.attempts, scene.clock.timers]).toEqual([[1], 0]);
  });
});

describe('options of an intake', () => {
  const cache = { invalidate: () => Promise.reject(new Error('not called')) };
  const rules = { handle: () => undefined };
  const report = (): void => {};

  it.each([
    [{ report }, 'fallback'],
    [{ fallback: null, report }, 'fallback'],
    [{ fallback: cache }, 'neither logger nor report'],
    [{ fallback: cache, report: 'x' }, 'report'],
    [{ fallback: cache, report, retries: -1 }, 'retries'],
    [{ fallback: cache, report, timeout: 'soon' }, 'timeout'],
    [{ fallback: cache, report, maxQueue: 0 }, 'maxQueue'],
    [{ fallback: cache, report, maxParked: 0 }, 'maxParked'],
    [{ fallback: cache, report, until: 'sent' }, 'until'],
    [{ fallback: cache, report, fallBack: cache }, 'Write fallback'],
    [undefined, 'no object'],
  ])('%j is refused', (options, word) => {
    expect(() => createIntake(rules, options as never)).toThrow(word);
  });

  it('a handler without handle is refused', () => {
    expect(() => createIntake({} as never, { fallback: cache, report })).toThrow('handle(event)');
  });
});

it('a log in this process takes an event at once', async () => {
  const cache = createCache({ name: 'own', log: memoryLog() });
  closing.push(cache);
  const rules = createRules<Changed>(cache, { changed: (e) => key('user', e.id) });
  const intake = createIntake(rules, { fallback: cache, report: () => {}, until: 'appended' });
  closing.push(intake);
  expect(await intake.take(event(1))).toEqual({ status: 'handled' });
});
