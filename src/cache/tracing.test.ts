import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { memoryLog } from '../coherence/memory-log.ts';
import { everything, key, tag } from '../coherence/target.ts';
import { FakeClock, promisesSettled } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { partContext } from '../testing/part-context.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import { memoryStore } from './memory-store.ts';
import type { OpenSpan, Traced, TracedOutcome, Tracing } from './tracing.ts';

/** A span of {@link Recorder}: what was active when it began, or what it was told to belong to. */
interface Seen {
  readonly about: Traced;
  readonly parent: string | undefined;
  readonly id: string;
  outcome: TracedOutcome | undefined;
}

/** Keeps every span; those outside of `request` are not traced. */
class Recorder implements Tracing {
  readonly spans: Seen[] = [];
  readonly #active = new AsyncLocalStorage<string | undefined>();

  request<T>(digit: string, work: () => T): T {
    return this.#active.run(`00-${digit.repeat(32)}-${'0'.repeat(15)}1-01`, work);
  }

  /** What is active here. */
  get active(): string | undefined {
    return this.#active.getStore();
  }

  traceparent(): string | undefined {
    return this.active;
  }

  begin(about: Traced): OpenSpan | undefined {
    const parent = 'trace' in about ? about.trace : this.active;
    if (parent === undefined || !parent.startsWith('00-')) return undefined;
    const id = `${parent.slice(0, 36)}${String(this.spans.length + 2).padStart(16, '0')}-01`;
    const seen: Seen = { about, parent, id, outcome: undefined };
    this.spans.push(seen);
    return { run: (work) => this.#active.run(id, work), end: (outcome) => void (seen.outcome = outcome) };
  }

  apart<T>(work: () => T): T {
    return this.#active.run(undefined, work);
  }

  of(type: Traced['type']): Seen[] {
    return this.spans.filter(({ about }) => about.type === type);
  }

  names(): string[] {
    return this.spans.map(({ about }) => about.type);
  }
}

function setUp(given: Partial<CacheOptions> = {}) {
  const clock = new FakeClock();
  const tracing = new Recorder();
  const cache = createCache({ name: 'test', clock, tracing, ...given });
  return { cache, clock, tracing };
}

describe('a read', () => {
  it('is a span where it loads, with what the loader does inside of it, and none where memory answers', async () => {
    const { cache, tracing } = setUp();
    let active: string | undefined;
    const users = cache.query({
      name: 'user',
      load: async (id: number) => {
        await promisesSettled();
        active = tracing.active;
        return { id };
      },
    });
    await tracing.request('a', async () => {
      await users(1);
      await users(1);
    });
    expect(tracing.spans).toEqual([
      {
        about: { type: 'load', key: 'user:1', query: 'user' },
        parent: expect.stringMatching(/^00-a{32}-0{15}1-01$/),
        id: active,
        outcome: { value: { id: 1 } },
      },
    ]);
  });

  it('of a loader that awaits lazily, as query builders do, is inside of its span', async () => {
    const { cache, tracing } = setUp();
    let active: string | undefined;
    const lazy = {
      // oxlint-disable-next-line unicorn/no-thenable -- what is tested is a thenable, as query builders are
      then: (done: (value: number) => void) => {
        active = tracing.active;
        done(7);
      },
    };
    const load = (): Promise<number> => lazy as unknown as Promise<number>;
    expect(await tracing.request('a', () => cache.getOrSet('k', load))).toBe(7);
    expect(active).toBe(tracing.spans[0]?.id);
  });

  it('says why it failed', async () => {
    const { cache, clock, tracing } = setUp();
    const failing = tracing.request('a', () => cache.getOrSet('k', () => Promise.reject(new Error('no database'))));
    await expect(failing).rejects.toThrow('no database');
    expect(tracing.spans[0]?.outcome).toEqual({ error: new Error('no database') });
    const late = tracing.request('a', () => cache.getOrSet('k', () => new Promise(() => {}), { timeout: 100 }));
    late.catch(() => {});
    await clock.advance(200);
    await expect(late).rejects.toMatchObject({ code: 'LOAD_TIMEOUT' });
    expect(tracing.spans[1]?.outcome).toEqual({ error: expect.objectContaining({ code: 'LOAD_TIMEOUT' }) });
  });

  it('asks the store once for all of a turn, and writes in the request that has loaded', async () => {
    const clock = new FakeClock();
    const store = Object.assign(memoryStore()({ clock }), { system: 'testdb' });
    const { cache, tracing } = setUp({ clock, store });
    await tracing.request('a', () =>
      Promise.all([cache.getOrSet('k', () => 1), cache.getOrSet('l', () => Promise.resolve(2))]),
    );
    await promisesSettled();
    expect(tracing.of('store-get').map(({ about }) => about)).toEqual([
      { type: 'store-get', keys: ['k', 'l'], system: 'testdb' },
    ]);
    expect(tracing.of('store-set').map(({ about }) => about)).toEqual([
      { type: 'store-set', key: 'k', bytes: expect.any(Number), system: 'testdb' },
      { type: 'store-set', key: 'l', bytes: expect.any(Number), system: 'testdb' },
    ]);
    expect(new Set(tracing.spans.map(({ parent }) => parent))).toEqual(
      new Set([`00-${'a'.repeat(32)}-0000000000000001-01`]),
    );
  });

  it('past the cache is a span too', async () => {
    const { cache, tracing } = setUp({ enabled: false });
    expect(await tracing.request('a', () => cache.getOrSet('k', () => Promise.resolve(3)))).toBe(3);
    expect(tracing.names()).toEqual(['load']);
  });
});

describe('an invalidation', () => {
  it('carries its span in its record, and is applied in its trace on every node', async () => {
    const clock = new FakeClock();
    const log = memoryLog()(partContext(clock));
    const { cache, tracing } = setUp({ clock, log: new FaultyLog(log) });
    const other = setUp({ clock, log });
    await cache.ready();
    const receipt = await tracing.request('a', () => cache.invalidate(key('user', 1)));
    const [call] = tracing.of('invalidate');
    expect(call).toMatchObject({
      about: { targets: [key('user', 1)], node: cache.parts.node },
      outcome: { value: receipt },
    });
    expect(tracing.of('append')).toEqual([
      {
        about: { type: 'append', trace: call?.id, index: 0, drafts: 1, node: cache.parts.node },
        parent: call?.id,
        id: expect.any(String),
        outcome: { value: expect.objectContaining({ numbers: [expect.any(Number)] }) },
      },
    ]);
    for (const [recorder, node] of [
      [tracing, cache.parts.node],
      [other.tracing, other.cache.parts.node],
    ] as const)
      expect(recorder.of('apply')).toEqual([
        expect.objectContaining({
          parent: call?.id,
          about: expect.objectContaining({
            node,
            at: clock.wall(),
            record: expect.objectContaining({ cause: { trace: call?.id } }),
          }),
        }),
      ]);
    await Promise.all([cache.close(), other.cache.close()]);
  });

  it('keeps the trace that it was given, and the rest of its cause', async () => {
    const { cache, tracing } = setUp();
    const records: unknown[] = [];
    cache.on((event) => event.type === 'applied' && records.push(event.record.cause));
    await tracing.request('a', async () => {
      await cache.invalidate([tag('t')], { cause: { event: 'paid', trace: 'mine' } });
      await cache.invalidate([tag('t')], { cause: { event: 'paid' } });
      await cache.invalidate(everything());
    });
    const [, second, third] = tracing.of('invalidate');
    expect(records).toEqual([
      { event: 'paid', trace: 'mine' },
      { event: 'paid', trace: second?.id },
      { trace: third?.id },
    ]);
  });

  it('of several requests in one turn is a record for each, and one append that is in the trace of each', async () => {
    const { cache, tracing } = setUp();
    const records: unknown[] = [];
    cache.on((event) => event.type === 'applied' && records.push([event.record.targets, event.record.cause?.trace]));
    const silent = [cache.invalidate(key('x')), cache.invalidate(key('y'))];
    const traced = ['a', 'b', 'a'].map((digit, i) => tracing.request(digit, () => cache.invalidate(key('k', i))));
    await Promise.all([...silent, ...traced, cache.invalidate(key('z'))]);
    const [a, b, again] = tracing.of('invalidate');
    expect(records).toEqual([
      [['key x', 'key y'], undefined],
      [['key k:0'], a?.id],
      [['key k:1'], b?.id],
      [['key k:2'], again?.id],
      [['key z'], undefined],
    ]);
    expect(new Set(tracing.of('append').map(({ parent }) => parent))).toEqual(new Set([a?.id, b?.id]));
    expect(tracing.of('append').map(({ about }) => about)).toContainEqual(
      expect.objectContaining({ index: 2, drafts: 5, trace: b?.id }),
    );
  });

  it('without a trace shares the record of its turn, as it does without tracing', async () => {
    const { cache, tracing } = setUp();
    const records: unknown[] = [];
    cache.on((event) => event.type === 'applied' && records.push(event.record.targets));
    await Promise.all([cache.invalidate(key('x')), cache.invalidate(key('y'))]);
    expect(records).toEqual([['key x', 'key y']]);
    expect(tracing.spans).toEqual([]);
  });

  it('is not appended in the trace of whoever came first in its turn', async () => {
    const clock = new FakeClock();
    const log = memoryLog()(partContext(clock));
    const tracing = new Recorder();
    const seen: (string | undefined)[] = [];
    const append = log.append.bind(log);
    log.append = (drafts) => {
      seen.push(tracing.active);
      return append(drafts);
    };
    const cache = createCache({ name: 'test', clock, tracing, log });
    // A trace that the caller of the first draft is in, but that its record does not carry.
    await tracing.request('a', () =>
      cache.invalidate([key('k')], { cause: { trace: `00-${'b'.repeat(32)}-${'c'.repeat(16)}-01` } }),
    );
    expect(seen).toEqual([tracing.of('append')[0]?.id]);
    expect(seen[0]).toMatch(/^00-b{32}-/);
    await tracing.request('a', () => cache.invalidate([key('k')], { cause: { trace: 'none' } }));
    expect(seen[1]).toBeUndefined();
  });

  it('strict: the announcement and the commit are spans, and each record carries its own', async () => {
    const { cache, tracing } = setUp({ strict: true });
    const records: unknown[] = [];
    cache.on((event) => event.type === 'applied' && records.push([event.record.kind, event.record.cause?.trace]));
    await tracing.request('a', async () => {
      const write = await cache.announce([key('account', 7)]);
      await write.committed();
    });
    expect(tracing.names().filter((it) => it !== 'append' && it !== 'apply')).toEqual(['announce', 'invalidate']);
    expect(records).toEqual([
      ['announce', tracing.of('announce')[0]?.id],
      ['close', tracing.of('invalidate')[0]?.id],
    ]);
  });
});

describe('tracing that is broken', () => {
  const broken = (): never => {
    throw new Error('broken tracing');
  };
  const sometimes: readonly (readonly [string, Tracing])[] = [
    ['everywhere', { traceparent: broken, begin: broken, apart: broken }],
    [
      'where spans are entered',
      { traceparent: () => undefined, begin: () => ({ run: broken, end: broken }), apart: (work) => work() },
    ],
    [
      'after the work was run',
      {
        traceparent: () => undefined,
        begin: () => ({
          run: (work) => {
            work();
            return broken();
          },
          end: broken,
        }),
        apart: (work) => {
          work();
          return broken();
        },
      },
    ],
  ];

  it.each(sometimes)('%s harms neither reads nor writes, and is reported once', async (_where, tracing) => {
    const lines: unknown[] = [];
    const ignored = (): void => {};
    const error = (fields: object): void => void lines.push(fields);
    const logger = { debug: ignored, info: ignored, warn: ignored, error };
    const clock = new FakeClock();
    const { cache } = setUp({ clock, tracing, logger, store: memoryStore()({ clock }) });
    let loads = 0;
    expect(await cache.getOrSet('k', () => ++loads)).toBe(1);
    expect(await cache.invalidate(key('k'))).toMatchObject({ status: 'applied' });
    expect(await cache.getOrSet('k', () => Promise.resolve(++loads))).toBe(2);
    await expect(cache.getOrSet('l', () => Promise.reject(new Error('no database')))).rejects.toThrow('no database');
    await expect(cache.getOrSet('l', broken)).rejects.toThrow('broken tracing');
    expect(lines).toEqual([expect.objectContaining({ event: 'cache_tracing' })]);
  });
});
