import { Writable } from 'node:stream';
import { type LoggerOptions, pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { everything, key, pattern, tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';

const START = Date.UTC(2025, 10, 21, 9, 30);
const INFO = 30;
const WARN = 40;

/** A cache that logs through pino, as services do, into a list. */
function setUp(options: Partial<CacheOptions> = {}, pinoOptions: LoggerOptions = {}) {
  const clock = new FakeClock(START);
  const random = new SeededRandom(1).next;
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const logger = pino({ base: null, timestamp: false, level: 'debug', ...pinoOptions }, stream);
  const link = new FaultyLog(new MemoryLog(logOptions(), { clock, stopwatch: new Stopwatch(clock), random }));
  const cache = createCache({ name: 'test', clock, random, logger, ...options });
  const remote = () => createCache({ name: 'test', clock, random, logger, log: link, ...options });
  const of = (event: string) => lines.filter((line) => line['event'] === event);
  return { clock, cache, remote, link, lines, of };
}

describe('the line of an invalidation', () => {
  it('is one, with the domain event, the fields, the targets and the position', async () => {
    const { cache, of } = setUp();
    const cause = { event: 'po.received', fields: { org: 'ORG123' } };
    const receipt = await cache.invalidate([key('fr:overview'), key('fr:rankings')], { cause });
    expect(of('cache_bust')).toEqual([
      {
        level: INFO,
        event: 'cache_bust',
        event_type: 'po.received',
        org: 'ORG123',
        prefixes: ['fr:overview', 'fr:rankings'],
        tags: [],
        patterns: [],
        operation: 'invalidate',
        status: 'applied',
        position: receipt.token,
        ms: 0,
        timestamp: '2025-11-21T09:30:00.000Z',
        msg: 'cache_bust org=ORG123 prefixes=fr:overview,fr:rankings',
      },
    ]);
  });

  it('names every kind of target, and says nothing of what is not there', async () => {
    const { cache, of } = setUp();
    await cache.invalidate(key('user', 42), tag('org:7'), tag('org:8'), pattern('a:*:b'));
    await cache.invalidate(everything());
    await cache.delete('k');
    expect(of('cache_bust').map((line) => line['msg'])).toEqual([
      'cache_bust prefixes=user:42 tags=org:7,org:8 patterns=a:*:b',
      'cache_bust everything',
      'cache_bust prefixes=k',
    ]);
    expect(of('cache_bust').map((line) => line['operation'])).toEqual(['invalidate', 'everything', 'invalidate']);
    expect(of('cache_bust')[0]).not.toHaveProperty('event_type');
  });

  it('cannot be broken up, nor lengthened by another, by what is in keys and fields', async () => {
    const { cache, of } = setUp();
    await cache.invalidate([key('a b\ncache_bust org=ORG2')], { cause: { fields: { org: 'ORG1 status="x"' } } });
    expect(of('cache_bust')[0]?.['msg']).toBe(
      'cache_bust org="ORG1 status=\\"x\\"" prefixes="a b\\ncache_bust org=ORG2"',
    );
  });

  it('keeps its own fields, whatever the fields of the event are called', async () => {
    const { cache, of } = setUp();
    const fields = { event: 'mine', status: 'mine', timestamp: 'mine', org: 'ORG1' };
    await cache.invalidate([key('k')], { cause: { fields } });
    expect(of('cache_bust')).toMatchObject([{ status: 'applied', timestamp: '2025-11-21T09:30:00.000Z', org: 'ORG1' }]);
  });

  it('is a warning with the cause where the log did not take it', async () => {
    const { clock, remote, link, of } = setUp();
    const cache = remote();
    await cache.ready();
    link.cut('append');
    const receipt = cache.invalidate([tag('t')], { cause: { event: 'budget.updated' } });
    await clock.advance(300);
    expect((await receipt).status).toBe('queued');
    expect(of('cache_bust')).toMatchObject([
      {
        level: WARN,
        event_type: 'budget.updated',
        tags: ['t'],
        status: 'queued',
        position: expect.stringMatching(/^1\.queued\.[0-9a-f]{32}$/),
        err: { type: 'Error', message: 'the log did not take it in time: the connection is cut (append)' },
        msg: 'cache_bust tags=t status=queued: the log did not take it yet; it covers its targets here and is sent again',
      },
    ]);
  });

  it('says so where this node could not confirm it', async () => {
    const { clock, remote, link, of } = setUp();
    const cache = remote();
    await cache.ready();
    link.cut('follow');
    await clock.advance(1);
    const receipt = cache.invalidate(tag('t'));
    await clock.advance(3_000);
    expect((await receipt).status).toBe('appended');
    expect(of('cache_bust')).toMatchObject([{ level: INFO, msg: 'cache_bust tags=t status=appended' }]);
  });
});

describe('hits and misses', () => {
  it('are logged where that was asked for', async () => {
    const { cache, lines, of } = setUp({ logHits: true, logMisses: true });
    await cache.getOrSet('user:1', () => 1);
    await cache.getOrSet('user:1', () => 1);
    await cache.getOrSet(['user', 1], () => 1);
    expect(of('cache_miss')).toEqual([
      { level: 20, event: 'cache_miss', key: 'user:1', reason: 'absent', msg: 'cache_miss key=user:1 reason=absent' },
    ]);
    const hit = {
      level: 20,
      event: 'cache_hit',
      key: 'user:1',
      from: 'memory',
      msg: 'cache_hit key=user:1 from=memory',
    };
    expect(of('cache_hit')).toEqual([hit, hit]);
    expect(lines).toHaveLength(4); // and that it is attached
  });

  it('are not logged otherwise', async () => {
    for (const options of [{}, { logHits: true }, { logMisses: true }]) {
      const { cache, of } = setUp(options);
      await cache.getOrSet('user:1', () => 1);
      await cache.getOrSet('user:1', () => 1);
      expect(of('cache_hit')).toHaveLength('logHits' in options ? 1 : 0);
      expect(of('cache_miss')).toHaveLength('logMisses' in options ? 1 : 0);
    }
  });
});

describe('what goes wrong', () => {
  it('is a warning with its cause: loads, stores, leases', async () => {
    const error = new Error('connection refused');
    const refuse = () => Promise.reject(error);
    const store = { getMany: refuse, set: refuse, remove: refuse, close: () => Promise.resolve() };
    const { clock, cache, of } = setUp({ store, lease: { acquire: refuse } });
    await cache.getOrSet('k', () => 1);
    await expect(cache.getOrSet('l', refuse)).rejects.toBe(error);
    await clock.advance(0);
    const err = expect.objectContaining({ type: 'Error', message: 'connection refused' }) as unknown;
    expect(of('cache_store')).toMatchObject([
      { level: WARN, operation: 'get', keys: ['k'], err, msg: 'cache_store: get failed' },
      { level: WARN, operation: 'set', keys: ['k'], err, msg: 'cache_store: set failed' },
      { level: WARN, operation: 'get', keys: ['l'], err },
    ]);
    expect(of('cache_lease')).toMatchObject([
      { level: WARN, key: 'k', err },
      { level: WARN, key: 'l', err },
    ]);
    expect(of('cache_load')).toMatchObject([
      { level: WARN, key: 'l', err, msg: 'cache_load key=l: the loader failed' },
    ]);
  });

  it('is told of the node as well: detached, attached, another epoch, a full queue, other options', async () => {
    const { clock, remote, link, of, lines } = setUp({ maxLag: '1s', maxQueue: 2 });
    const cache = remote();
    await cache.ready();
    expect(of('cache_options')).toMatchObject([{ level: WARN, given: { maxLag: 1_000 }, used: { maxLag: 2_000 } }]);
    expect(of('cache_attached').length).toBeGreaterThan(0);
    link.cut('append', 'follow');
    await clock.advance(1);
    expect(of('cache_detached')).toMatchObject([
      { level: WARN, state: 'down', err: { message: 'the connection is cut (follow)' } },
    ]);
    const receipts = ['a', 'b', 'c'].map((name) => cache.invalidate([key(name)], { cause: { event: name } }));
    await clock.advance(300);
    await Promise.all(receipts);
    expect(of('cache_overflow')).toMatchObject([{ level: WARN, dropped: 3 }]);
    expect(of('cache_epoch')).toEqual([]);
    const attached = of('cache_attached').length;
    link.mend('append', 'follow');
    await clock.advance(5_000);
    expect(of('cache_attached')).toHaveLength(attached + 1);
    expect(lines.every((line) => typeof line['msg'] === 'string')).toBe(true);
  });

  it('is not said of a cache that was closed on purpose', async () => {
    const { cache, of } = setUp();
    await cache.close();
    expect(of('cache_detached')).toEqual([]);
  });

  it('in a listener is an error, and harms nobody', async () => {
    const { cache, of } = setUp();
    cache.on(() => {
      throw new Error('my listener');
    });
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
    expect(of('cache_listener')[0]).toMatchObject({ level: 50, err: { message: 'my listener' } });
  });

  it('in the logger itself harms nobody either', async () => {
    const broken = (): never => {
      throw new Error('disk full');
    };
    const logger = { debug: broken, info: broken, warn: broken, error: broken };
    const cache = createCache({ name: 'test', clock: new FakeClock(), logger, logHits: true, logMisses: true });
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
    expect((await cache.invalidate(key('k'))).status).toBe('applied');
  });
});
