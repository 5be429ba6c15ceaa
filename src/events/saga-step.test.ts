import { describe, expect, it, vi } from 'vitest';
import { createCache, key, memoryLog, type Target, tag } from '../index.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { FaultyLog } from '../testing/faulty-log.ts';
import type { Invalidator } from './invalidator.ts';
import { invalidationStep } from './saga-step.ts';

/** A calendar that a saga changes, and a cached view of it. */
function setUp() {
  const cache = createCache({ name: 'booking', clock: new FakeClock() });
  const calendar = { busy: false };
  const availability = cache.query({
    name: 'availability',
    load: (_staffId: string) => (calendar.busy ? 'busy' : 'free'),
  });
  const errors: object[] = [];
  const logger = { error: (fields: object) => void errors.push(fields) };
  return { cache, calendar, availability, errors, logger };
}

/** What sagas do everywhere: steps in order, and those that were begun undone in reverse. */
async function runSaga(steps: readonly { run(): Promise<unknown>; compensate(): Promise<unknown> }[]): Promise<void> {
  const begun: (typeof steps)[number][] = [];
  try {
    for (const step of steps) {
      begun.unshift(step);
      await step.run();
    }
  } catch (error) {
    for (const step of begun) await step.compensate();
    throw error;
  }
}

describe('invalidationStep', () => {
  it('invalidates when the saga has changed something, and gives the receipt', async () => {
    const { cache, calendar, availability } = setUp();
    await availability('S1');
    calendar.busy = true;
    const receipt = await invalidationStep(cache, availability.at('S1')).run();
    expect(receipt).toEqual({ status: 'applied', token: cache.mark() });
    expect(await availability('S1')).toBe('busy');
  });

  it('invalidates again, as often as it is called', async () => {
    const { cache, calendar, availability } = setUp();
    const step = invalidationStep(cache, [availability.at('S1')]);
    for (const busy of [true, false, true]) {
      await availability('S1');
      calendar.busy = busy;
      await step.compensate();
      expect(await availability('S1')).toBe(busy ? 'busy' : 'free');
    }
  });

  it('leaves nothing stale at both ends of a saga that fails, and would at its end alone', async () => {
    const { cache, calendar, availability } = setUp();
    const fresh = invalidationStep(cache, availability.at('S1'));
    const change = {
      run: async () => void (calendar.busy = true),
      // Somebody looks just before the change is undone.
      compensate: async () => {
        await availability('S1');
        calendar.busy = false;
      },
    };
    const failing = { run: () => Promise.reject(new Error('no')), compensate: async () => undefined };

    await expect(runSaga([change, fresh, failing])).rejects.toThrow('no');
    expect(await availability('S1')).toBe('busy');
    await expect(runSaga([fresh, change, fresh, failing])).rejects.toThrow('no');
    expect(await availability('S1')).toBe('free');
  });

  it('takes its targets from the context of the saga', async () => {
    const { cache, availability } = setUp();
    const step = invalidationStep(cache, (saga: { staffId: string }) => availability.at(saga.staffId));
    await Promise.all([availability('S1'), availability('S2')]);
    await step.run({ staffId: 'S2' });
    expect([availability.peek('S1'), availability.peek('S2')]).toEqual(['free', undefined]);
  });

  it('does nothing where there is no target', async () => {
    const { cache } = setUp();
    const before = cache.mark();
    expect(await invalidationStep(cache, undefined).run()).toBeUndefined();
    expect(await invalidationStep(cache, []).compensate()).toBeUndefined();
    expect(cache.mark()).toBe(before);
  });

  it('tells of the cause', async () => {
    const invalidate = vi.fn<Invalidator['invalidate']>(() =>
      Promise.resolve({ status: 'applied', token: 't' as never }),
    );
    await invalidationStep({ invalidate }, key('a')).run();
    await invalidationStep({ invalidate }, key('a'), { cause: { event: 'booked', entityId: 'A1' } }).compensate();
    expect(invalidate.mock.calls.map(([, options]) => options)).toEqual([
      { cause: { event: 'saga' } },
      { cause: { event: 'booked', entityId: 'A1' } },
    ]);
  });
});

describe('never fails the saga', () => {
  it('when the cache is closed', async () => {
    const { cache, errors, logger } = setUp();
    const step = invalidationStep(cache, tag('a'), { logger });
    await cache.close();
    expect(await step.run()).toBeUndefined();
    expect(await step.compensate()).toBeUndefined();
    expect(errors).toEqual([
      { event: 'cache_saga', err: expect.objectContaining({ code: 'CLOSED' }) },
      { event: 'cache_saga', err: expect.objectContaining({ code: 'CLOSED' }) },
    ]);
  });

  it('when the log is out of reach: it is queued, and sent later', async () => {
    const clock = new FakeClock();
    let log: FaultyLog | undefined;
    const cache = createCache({
      name: 'booking',
      clock,
      log: (context) => (log = new FaultyLog(memoryLog()(context))),
    });
    await clock.advance(0);
    log?.cut('append');
    const running = invalidationStep(cache, tag('a')).run();
    await clock.advance(10_000);
    expect(await running).toMatchObject({ status: 'queued' });
    log?.mend('append');
    await clock.advance(10_000);
    expect(cache.status().queued).toBe(0);
    await cache.close();
  });

  it.each<[string, () => unknown, object]>([
    [
      'throws',
      () => {
        throw new RangeError('a mistake');
      },
      expect.any(RangeError),
    ],
    ['names no target', () => 'availability:S1', expect.objectContaining({ code: 'INVALID_TARGET' })],
  ])('when the function for its targets %s', async (_, targets, err) => {
    const { cache, errors, logger } = setUp();
    const before = cache.mark();
    expect(await invalidationStep(cache, targets as () => Target, { logger }).run()).toBeUndefined();
    expect(errors).toEqual([{ event: 'cache_saga', err }]);
    expect(cache.mark()).toBe(before);
  });

  it('when its logger throws, or there is none', async () => {
    const { cache } = setUp();
    await cache.close();
    const logger = {
      error: () => {
        throw new Error('the disk is full');
      },
    };
    expect(await invalidationStep(cache, tag('a'), { logger }).run()).toBeUndefined();
    expect(await invalidationStep(cache, tag('a')).run()).toBeUndefined();
  });
});

describe('refuses at once', () => {
  it.each<[unknown, object | undefined, string, string]>([
    ['availability:S1', undefined, 'INVALID_TARGET', 'invalidationStep: "availability:S1" is not a target.'],
    [[tag('a'), null], undefined, 'INVALID_TARGET', 'invalidationStep: null is not a target.'],
    [tag('a'), { logger: undefined, Cause: {} }, 'INVALID_OPTION', 'there is no option "Cause". Write cause.'],
    [tag('a'), { cause: { event: 7 } }, 'INVALID_OPTION', 'cause.event: 7 is not a text.'],
  ])('%j with %j', (targets, options, code, message) => {
    const { cache } = setUp();
    expect(() => invalidationStep(cache, targets as Target, options)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});
