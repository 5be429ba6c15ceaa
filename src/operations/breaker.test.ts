import { beforeEach, describe, expect, it } from 'vitest';
import type { BreakerBoard } from '../index.ts';
import { memoryBreakerBoard } from '../index.ts';
import { FakeClock, promisesSettled } from '../testing/fake-clock.ts';
import { Gate } from '../testing/gate.ts';
import { type CircuitBreaker, createBreaker } from './breaker.ts';
import type { BreakerEvent } from './breaker-event.ts';
import type { BreakerOptions } from './breaker-options.ts';

let clock: FakeClock;
let board: BreakerBoard;
/** Whether what the breakers are about is down, and what reached it. */
let dependency: { down: boolean; calls: number };

beforeEach(() => {
  clock = new FakeClock();
  board = memoryBreakerBoard()({ clock });
  dependency = { down: false, calls: 0 };
});

async function ask(): Promise<string> {
  dependency.calls++;
  if (dependency.down) throw new Error('down');
  return 'up';
}

/** A breaker of the fleet that opens at the second failure, and tells what happens. */
function member(node: string, options: Partial<BreakerOptions> = {}) {
  const breaker = createBreaker({ name: 'mail', board, opens: { inARow: 2 }, node, clock, ...options });
  const events: BreakerEvent[] = [];
  breaker.on((event) => events.push(event));
  return { breaker, events, types: () => events.map(({ type }) => type) };
}

/** What calls one after the other end with: a value, or the code or message of an error. */
async function outcomes(breaker: CircuitBreaker, times: number, work: () => Promise<string> = ask): Promise<string[]> {
  const found: string[] = [];
  for (let i = 0; i < times; i++) found.push(await breaker.run(work).catch(wordOf));
  return found;
}

function wordOf(error: unknown): string {
  const { code, message } = error as { code?: string; message: string };
  return code ?? message;
}

async function opened(breaker: CircuitBreaker): Promise<void> {
  dependency.down = true;
  await outcomes(breaker, 2);
  await clock.advance(0);
  expect(breaker.state).toBe('open');
}

/** What others find is asked for at a call, a moment after the last time. */
async function told(breaker: CircuitBreaker): Promise<void> {
  await clock.advance(100);
  await breaker.run(async () => 'up').catch(() => {});
  await clock.advance(0);
}

describe('a breaker alone', () => {
  const alone = (options: Partial<BreakerOptions> = {}): ReturnType<typeof member> => {
    const { board: _, ...rest } = { board, ...options };
    const breaker = createBreaker({ name: 'mail', opens: { inARow: 2 }, node: 'one', clock, ...rest });
    const events: BreakerEvent[] = [];
    breaker.on((event) => events.push(event));
    return { breaker, events, types: () => events.map(({ type }) => type) };
  };

  it('passes on what calls bring, and what they reject with, unchanged', async () => {
    const { breaker } = alone();
    const error = new Error('mine');
    expect(await breaker.run(async () => undefined)).toBeUndefined();
    await expect(breaker.run(() => Promise.reject(error))).rejects.toBe(error);
    const thrower = (): Promise<never> => {
      throw error;
    };
    await expect(breaker.run(thrower)).rejects.toBe(error);
    expect(breaker.state).toBe('open');
  });

  it('opens at the failures that were asked for, and then asks nobody', async () => {
    const { breaker, types } = alone();
    dependency.down = true;
    expect(await outcomes(breaker, 4)).toEqual(['down', 'down', 'BREAKER_OPEN', 'BREAKER_OPEN']);
    expect(dependency.calls).toBe(2);
    expect(types()).toEqual(['failed', 'failed', 'opened', 'refused', 'refused']);
  });

  it('counts failures in a row only', async () => {
    const { breaker } = alone();
    for (const down of [true, false, true, false, true]) {
      dependency.down = down;
      await outcomes(breaker, 1);
    }
    expect(breaker.state).toBe('closed');
  });

  it('forgets failures after a quiet time', async () => {
    const { breaker } = alone({ forget: '1m' });
    dependency.down = true;
    await outcomes(breaker, 1);
    await clock.advance(60_001);
    await outcomes(breaker, 1);
    expect(breaker.state).toBe('closed');
    await clock.advance(60_000);
    await outcomes(breaker, 1);
    expect(breaker.state).toBe('open');
  });

  it('says who opened it, why, and until when it refuses', async () => {
    const { breaker } = alone();
    await opened(breaker);
    const error = await breaker.run(ask).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'BREAKER_OPEN', cause: { message: 'down' } });
    const until = new Date(clock.wall() + 10_000).toISOString();
    expect((error as Error).message).toBe(
      `The breaker "mail" is open: one found that what is behind it fails. It is refused until ${until}; the next call then finds out whether it is back.`,
    );
  });

  it('lets one call through when its time is over, and closes when that succeeds', async () => {
    const { breaker, types } = alone({ openFor: '5s' });
    await opened(breaker);
    await clock.advance(4_999);
    expect(await outcomes(breaker, 1)).toEqual(['BREAKER_OPEN']);
    await clock.advance(1);
    const gate = new Gate();
    const probe = breaker.run(async () => {
      await gate.promise;
      return 'back';
    });
    await promisesSettled();
    expect(breaker.state).toBe('half-open');
    expect(await outcomes(breaker, 3)).toEqual(['BREAKER_OPEN', 'BREAKER_OPEN', 'BREAKER_OPEN']);
    gate.open();
    expect(await probe).toBe('back');
    dependency.down = false;
    expect(await outcomes(breaker, 2)).toEqual(['up', 'up']);
    expect(types().filter((type) => type !== 'refused')).toEqual(['failed', 'failed', 'opened', 'probing', 'closed']);
  });

  it('opens for another while when the probe fails', async () => {
    const { breaker } = alone({ openFor: '5s' });
    await opened(breaker);
    await clock.advance(5_000);
    expect(await outcomes(breaker, 3)).toEqual(['down', 'BREAKER_OPEN', 'BREAKER_OPEN']);
    await clock.advance(4_999);
    expect(await outcomes(breaker, 1)).toEqual(['BREAKER_OPEN']);
    expect(breaker.status()).toMatchObject({ opened: 2, failures: 3, refused: 3 });
  });

  it('counts a call that takes too long as failed, once, and lets its caller wait', async () => {
    const { breaker, events } = alone({ opens: { inARow: 1 }, timeout: '3s' });
    const gate = new Gate();
    const slow = breaker.run(async () => {
      await gate.promise;
      throw new Error('late');
    });
    await clock.advance(2_999);
    expect(breaker.state).toBe('closed');
    await clock.advance(1);
    expect(breaker.state).toBe('open');
    gate.open();
    await expect(slow).rejects.toThrow('late');
    expect(events.filter(({ type }) => type === 'failed')).toHaveLength(1);
    expect(events[0]).toMatchObject({ error: { message: expect.stringContaining('longer than 3000 ms') } });
    expect(clock.timers).toBe(0);
  });

  it('opens again when the probe takes too long', async () => {
    const { breaker } = alone({ timeout: '3s', openFor: '5s' });
    await opened(breaker);
    await clock.advance(5_000);
    const gate = new Gate();
    const probe = breaker.run(async () => {
      await gate.promise;
      return 'late';
    });
    await clock.advance(3_000);
    expect(breaker.state).toBe('open');
    gate.open();
    expect(await probe).toBe('late');
    expect(breaker.state).toBe('open');
  });

  it('does not count what was begun before it opened or closed', async () => {
    const { breaker } = alone({ opens: { inARow: 1 }, openFor: '5s' });
    const gate = new Gate();
    const early = breaker
      .run(async () => {
        await gate.promise;
        throw new Error('of another time');
      })
      .catch(wordOf);
    await outcomes(breaker, 1, () => Promise.reject(new Error('down')));
    await clock.advance(5_000);
    await outcomes(breaker, 1);
    expect(breaker.state).toBe('closed');
    gate.open();
    expect(await early).toBe('of another time');
    expect(breaker.state).toBe('closed');
    expect(breaker.status().failures).toBe(1);
  });

  it('takes an error that does not count for an answer', async () => {
    const { breaker } = alone({ isFailure: (error) => (error as Error).message !== 'not found' });
    const missing = (): Promise<string> => Promise.reject(new Error('not found'));
    dependency.down = true;
    await outcomes(breaker, 1);
    expect(await outcomes(breaker, 3, missing)).toEqual(['not found', 'not found', 'not found']);
    await outcomes(breaker, 1);
    expect(breaker.state).toBe('closed');
    await outcomes(breaker, 1);
    await clock.advance(10_000);
    await outcomes(breaker, 1, missing);
    expect(breaker.state).toBe('closed');
  });

  it('counts an error as failure where the function that judges it fails', async () => {
    const { breaker } = alone({
      isFailure: () => {
        throw new Error('mine');
      },
    });
    dependency.down = true;
    expect(await outcomes(breaker, 3)).toEqual(['down', 'down', 'BREAKER_OPEN']);
  });

  it('opens at a share of the last calls, once there are enough', async () => {
    const { breaker } = alone({ opens: { share: 0.5, of: 10, least: 4 } });
    for (const down of [true, true, false]) {
      dependency.down = down;
      await outcomes(breaker, 1);
    }
    expect(breaker.state).toBe('closed');
    dependency.down = true;
    await outcomes(breaker, 1);
    expect(breaker.state).toBe('open');
  });
});

describe('fallbacks', () => {
  it('stand in for what failed and for what was refused, and are told from the real thing', async () => {
    const { breaker, events } = member('one');
    expect(await breaker.attempt(ask)).toEqual({ from: 'work', value: 'up' });
    dependency.down = true;
    const fallback = (error: unknown): string => `instead of ${wordOf(error)}`;
    expect(await breaker.run(ask, { fallback })).toBe('instead of down');
    expect(await breaker.attempt(ask, { fallback })).toMatchObject({ from: 'fallback', value: 'instead of down' });
    expect(await breaker.attempt(ask, { fallback })).toMatchObject({
      ...{ from: 'fallback', value: 'instead of BREAKER_OPEN', error: { code: 'BREAKER_OPEN' } },
    });
    expect(breaker.status().fallbacks).toBe(3);
    expect(events.filter(({ type }) => type === 'fallback')).toHaveLength(3);
    expect(dependency.calls).toBe(3);
  });

  it('may fail themselves, and count for nothing', async () => {
    const { breaker } = member('one');
    const failing = breaker.run(() => Promise.reject(new Error('down')), {
      fallback: async () => {
        throw new Error('of the fallback');
      },
    });
    await expect(failing).rejects.toThrow('of the fallback');
    expect(breaker.status().failures).toBe(1);
  });
});

describe('a fleet', () => {
  it('is spared what one of it has found out', async () => {
    const [one, two, three] = [member('one'), member('two'), member('three')] as const;
    await opened(one.breaker);
    await clock.advance(100);
    // The call that asks what is new, and goes through meanwhile.
    expect(await outcomes(two.breaker, 1)).toEqual(['down']);
    await clock.advance(0);
    expect(await outcomes(two.breaker, 5)).toEqual(Array.from({ length: 5 }, () => 'BREAKER_OPEN'));
    expect(dependency.calls).toBe(3);
    expect(two.breaker.status()).toMatchObject({ state: 'open', openedBy: 'one', opened: 1, failures: 1 });
    expect(two.types()).toEqual(['failed', 'opened', ...Array.from({ length: 5 }, () => 'refused')]);
    expect(two.events[1]).toMatchObject({ here: false, by: 'one' });
    const error = await two.breaker.run(ask).catch((caught: unknown) => caught);
    expect((error as Error).message).toContain('one found that');
    expect(three.breaker.state).toBe('closed');
  });

  it('is known to who comes later before its first call', async () => {
    await opened(member('one').breaker);
    const { breaker } = member('late');
    await promisesSettled();
    expect(await outcomes(breaker, 1)).toEqual(['BREAKER_OPEN']);
    expect(dependency.calls).toBe(2);
  });

  it('agrees on one opening where two find out at once', async () => {
    const [one, two] = [member('one'), member('two')] as const;
    dependency.down = true;
    await Promise.all([outcomes(one.breaker, 2), outcomes(two.breaker, 2)]);
    await clock.advance(0);
    expect([one, two].map(({ breaker }) => breaker.status().openedBy)).toEqual(['one', 'one']);
    expect([one, two].map(({ breaker }) => breaker.status().opened)).toEqual([1, 1]);
  });

  it('probes with one call, and all go on when it succeeds', async () => {
    const fleet = ['one', 'two', 'three'].map((node) => member(node));
    const [one] = fleet as [ReturnType<typeof member>];
    await opened(one.breaker);
    for (const { breaker } of fleet) await told(breaker);
    dependency.down = false;
    dependency.calls = 0;
    await clock.advance(10_000);
    const gate = new Gate();
    const slow = async (): Promise<string> => {
      dependency.calls++;
      await gate.promise;
      return 'back';
    };
    const first = fleet.map(({ breaker }) => breaker.run(slow).catch(wordOf));
    await promisesSettled();
    const second = fleet.map(({ breaker }) => breaker.run(slow).catch(wordOf));
    await promisesSettled();
    expect(dependency.calls).toBe(1);
    gate.open();
    expect((await Promise.all([...first, ...second])).filter((it) => it === 'back')).toHaveLength(1);
    for (const { breaker } of fleet) await told(breaker);
    expect(fleet.map(({ breaker }) => breaker.state)).toEqual(['closed', 'closed', 'closed']);
    expect(fleet.flatMap(({ events }) => events.filter((it) => it.type === 'closed').map((it) => it.here))).toEqual(
      expect.arrayContaining([true, false, false]),
    );
  });

  it('stays open for all when the probe fails', async () => {
    const [one, two] = [member('one'), member('two')] as const;
    await opened(one.breaker);
    await told(two.breaker);
    await clock.advance(10_000);
    dependency.calls = 0;
    expect(await outcomes(two.breaker, 2)).toEqual(['down', 'BREAKER_OPEN']);
    await told(one.breaker);
    expect(await outcomes(one.breaker, 2)).toEqual(['BREAKER_OPEN', 'BREAKER_OPEN']);
    expect(one.breaker.status()).toMatchObject({ openedBy: 'two', opened: 1 });
    expect(dependency.calls).toBe(1);
  });

  it('waits no longer for a prober that died than its claim lasts', async () => {
    const [one, two] = [member('one', { timeout: '2s' }), member('two', { timeout: '2s' })] as const;
    await opened(one.breaker);
    await told(two.breaker);
    await clock.advance(10_000);
    const { number } = await board.read('mail');
    expect(await board.claim('mail', { number, by: 'dead', time: 3_000 })).toMatchObject({ granted: true });
    dependency.down = false;
    expect(await outcomes(two.breaker, 2)).toEqual(['BREAKER_OPEN', 'BREAKER_OPEN']);
    await clock.advance(2_999);
    expect(await outcomes(two.breaker, 1)).toEqual(['BREAKER_OPEN']);
    await clock.advance(1);
    expect(await outcomes(two.breaker, 2)).toEqual(['up', 'up']);
    await told(one.breaker);
    expect(one.breaker.state).toBe('closed');
  });

  it('does not hear of a probe that another has overtaken', async () => {
    const [one, two] = [member('one'), member('two')] as const;
    await opened(one.breaker);
    await clock.advance(10_000);
    const gate = new Gate();
    const late = one.breaker.run(async () => {
      await gate.promise;
      return 'of long ago';
    });
    await promisesSettled();
    // Somebody opens it anew meanwhile, and the prober hears of it.
    const { number } = await board.read('mail');
    await board.open('mail', { number, by: 'three', time: 60_000 });
    await told(one.breaker);
    gate.open();
    expect(await late).toBe('of long ago');
    await told(two.breaker);
    expect([one, two].map(({ breaker }) => breaker.status())).toMatchObject([
      { state: 'open', openedBy: 'three' },
      { state: 'open', openedBy: 'three' },
    ]);
  });

  it('does not open anew by what began before it was closed for all', async () => {
    const [one, two] = [member('one'), member('two', { opens: { inARow: 1 } })] as const;
    const gate = new Gate();
    const early = two.breaker
      .run(async () => {
        await gate.promise;
        throw new Error('of long ago');
      })
      .catch(wordOf);
    await opened(one.breaker);
    await told(two.breaker);
    await clock.advance(10_000);
    dependency.down = false;
    await outcomes(one.breaker, 1);
    await told(two.breaker);
    gate.open();
    await early;
    expect([one, two].map(({ breaker }) => breaker.state)).toEqual(['closed', 'closed']);
  });

  it('is told again, in order, by who closes and opens faster than the board answers', async () => {
    const held = new Gate();
    const slow: BreakerBoard = {
      read: (name) => board.read(name),
      open: (name, change) => board.open(name, change),
      claim: async (name, change) => {
        const answer = await board.claim(name, change);
        if (!answer.granted) return answer;
        // It has closed the breaker, and its answer is on the way.
        const succeeded = async (): ReturnType<typeof answer.succeeded> => {
          const notice = await answer.succeeded();
          await held.promise;
          return notice;
        };
        return { ...answer, succeeded };
      },
    };
    const { breaker } = member('one', { board: slow, opens: { inARow: 1 }, openFor: '5s' });
    dependency.down = true;
    await outcomes(breaker, 1);
    await clock.advance(5_000);
    dependency.down = false;
    await outcomes(breaker, 1);
    dependency.down = true;
    await outcomes(breaker, 1);
    expect(breaker.state).toBe('open');
    held.open();
    await clock.advance(0);
    expect(breaker.state).toBe('open');
    expect(await board.read('mail')).toMatchObject({ open: true, by: 'one' });
  });
});

describe('a board that cannot be reached', () => {
  /** A board that rejects, or never answers, while it is told to. */
  function troubled() {
    const state: { trouble: 'none' | 'rejects' | 'hangs'; asked: number } = { trouble: 'rejects', asked: 0 };
    const trouble = async (): Promise<void> => {
      state.asked++;
      if (state.trouble === 'rejects') throw new Error('no board');
      if (state.trouble === 'hangs') await new Promise(() => {});
    };
    const its: BreakerBoard = {
      read: (name) => trouble().then(() => board.read(name)),
      open: (name, change) => trouble().then(() => board.open(name, change)),
      claim: (name, change) => trouble().then(() => board.claim(name, change)),
    };
    return { state, board: its };
  }

  it.each(['rejects', 'hangs'] as const)(
    'delays and fails nothing when it %s: the breaker goes on alone',
    async (how) => {
      const { state, board: its } = troubled();
      state.trouble = how;
      const { breaker, types } = member('one', { board: its });
      await clock.advance(1_000);
      dependency.down = true;
      // Without any time passing.
      expect(await outcomes(breaker, 3)).toEqual(['down', 'down', 'BREAKER_OPEN']);
      await clock.advance(10_000);
      dependency.down = false;
      expect(await outcomes(breaker, 2)).toEqual(['up', 'up']);
      expect(types().filter((type) => type.startsWith('board'))).toEqual(['board-failed']);
      expect(breaker.status().board).toBe('down');
    },
  );

  it('is told of once, and when it is back', async () => {
    const { state, board: its } = troubled();
    state.trouble = 'none';
    const { breaker, types } = member('one', { board: its });
    state.trouble = 'rejects';
    for (let i = 0; i < 5; i++) await told(breaker);
    expect(types()).toEqual(['board-failed']);
    state.trouble = 'none';
    await told(breaker);
    expect(types()).toEqual(['board-failed', 'board-back']);
  });

  it('keeps the one call that is to be the probe for a moment at most, where it has answered until then', async () => {
    const { state, board: its } = troubled();
    state.trouble = 'none';
    const { breaker } = member('one', { board: its });
    await opened(breaker);
    await clock.advance(10_000);
    dependency.down = false;
    state.trouble = 'hangs';
    const probe = breaker.run(ask);
    await clock.advance(99);
    expect(dependency.calls).toBe(2);
    await clock.advance(1);
    expect(await probe).toBe('up');
  });

  it('is told how a probe ended that it has granted too late', async () => {
    const gate = new Gate();
    const late: BreakerBoard = {
      read: (name) => board.read(name),
      open: (name, change) => board.open(name, change),
      claim: (name, change) => gate.promise.then(() => board.claim(name, change)),
    };
    const { breaker } = member('one', { board: late });
    await opened(breaker);
    await clock.advance(10_000);
    dependency.down = false;
    const probe = breaker.run(ask);
    await clock.advance(100);
    expect(await probe).toBe('up');
    expect(await board.read('mail')).toMatchObject({ open: true });
    gate.open();
    await clock.advance(0);
    expect(await board.read('mail')).toMatchObject({ open: false });
  });

  it('that has lost everything keeps nobody open and nobody from opening', async () => {
    let current = board;
    const lossy: BreakerBoard = {
      read: (name) => current.read(name),
      open: (name, change) => current.open(name, change),
      claim: (name, change) => current.claim(name, change),
    };
    const [one, two] = [member('one', { board: lossy }), member('two', { board: lossy })] as const;
    await opened(one.breaker);
    current = memoryBreakerBoard()({ clock });
    await told(one.breaker);
    expect(one.breaker.state).toBe('open');
    await clock.advance(10_000);
    expect(await outcomes(one.breaker, 1)).toEqual(['down']);
    await told(two.breaker);
    expect(two.breaker.status()).toMatchObject({ state: 'open', openedBy: 'one' });
  });

  it('answers what is no number, and is not believed for ever', async () => {
    const odd: BreakerBoard = {
      read: async () => ({ number: 1, open: true, by: 'odd', left: Number.NaN }),
      open: (name, change) => board.open(name, change),
      claim: (name, change) => board.claim(name, change),
    };
    const { breaker } = member('one', { board: odd });
    await promisesSettled();
    expect(breaker.state).toBe('open');
    expect(await outcomes(breaker, 1)).toEqual(['up']);
  });
});

describe('asking the board', () => {
  it('happens at most every 100 ms, and only when there are calls', async () => {
    let reads = 0;
    const counted: BreakerBoard = {
      read: (name) => {
        reads++;
        return board.read(name);
      },
      open: (name, change) => board.open(name, change),
      claim: (name, change) => board.claim(name, change),
    };
    const { breaker } = member('one', { board: counted });
    await outcomes(breaker, 100);
    expect(reads).toBe(1);
    await clock.advance(3_600_000);
    expect(reads).toBe(1);
    for (let i = 0; i < 100; i++) {
      await outcomes(breaker, 1);
      await clock.advance(10);
    }
    expect(reads).toBe(11);
    expect(clock.timers).toBe(0);
  });

  it('ends with close, after what was to be told', async () => {
    const { breaker } = member('one');
    dependency.down = true;
    await outcomes(breaker, 2);
    await breaker.close();
    expect(await board.read('mail')).toMatchObject({ open: true, by: 'one' });
    expect(breaker.status().board).toBe('none');
    dependency.down = false;
    await clock.advance(10_000);
    expect(await outcomes(breaker, 2)).toEqual(['up', 'up']);
    expect(await board.read('mail')).toMatchObject({ open: true });
  });
});

describe('status', () => {
  it('is plain JSON', async () => {
    const { breaker } = member('one');
    expect(breaker.status()).toEqual({
      ...{ name: 'mail', state: 'closed', since: '2023-11-14T22:13:20.000Z', openedBy: null, probedFrom: null },
      ...{ failures: 0, refused: 0, fallbacks: 0, opened: 0, lastFailure: null, board: 'up' },
    });
    await clock.advance(1_000);
    await opened(breaker);
    await outcomes(breaker, 1);
    expect(JSON.parse(JSON.stringify(breaker.status()))).toEqual({
      ...{ name: 'mail', state: 'open', since: '2023-11-14T22:13:21.000Z', openedBy: 'one' },
      ...{ probedFrom: '2023-11-14T22:13:31.000Z', failures: 2, refused: 1, fallbacks: 0, opened: 1 },
      ...{ lastFailure: 'Error: down', board: 'up' },
    });
  });

  it('says since when it has not been closed, whatever was probed in between', async () => {
    const { breaker } = member('one');
    await opened(breaker);
    const { since } = breaker.status();
    await clock.advance(10_000);
    await outcomes(breaker, 1);
    expect(breaker.status()).toMatchObject({ state: 'open', since });
  });
});

describe('listeners and loggers', () => {
  it('do no harm when they throw, and are told until they leave', async () => {
    const errors: unknown[] = [];
    const nothing = (): void => {};
    const logger = {
      debug: nothing,
      info: nothing,
      warn: nothing,
      error: (fields: object) => void errors.push(fields),
    };
    const { breaker } = member('one', { logger });
    const heard: string[] = [];
    const leave = breaker.on(({ type }) => {
      heard.push(type);
      throw new Error('mine');
    });
    const rejecting: () => unknown = () => Promise.reject(new Error('mine too'));
    breaker.on(rejecting);
    dependency.down = true;
    expect(await outcomes(breaker, 1)).toEqual(['down']);
    await promisesSettled();
    expect(errors).toHaveLength(2);
    leave();
    await outcomes(breaker, 1);
    expect(heard).toEqual(['failed']);
  });

  it('hear of what people want to know', async () => {
    const lines: [string, object][] = [];
    const at =
      (level: string) =>
      (fields: object): void =>
        void lines.push([level, fields]);
    const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
    const { breaker } = member('one', { logger });
    await opened(breaker);
    dependency.down = false;
    await clock.advance(10_000);
    await outcomes(breaker, 1);
    expect(lines.filter(([level]) => level !== 'debug')).toMatchObject([
      ['warn', { event: 'breaker_opened', breaker: 'mail', by: 'one', here: true, err: { message: 'down' } }],
      ['info', { event: 'breaker_closed', breaker: 'mail', here: true }],
    ]);
  });
});

describe('options', () => {
  it.each([
    [{ name: '' }, 'name'],
    [{ name: 'x'.repeat(201) }, 'name'],
    [{ opens: {} }, 'opens'],
    [{ opens: { inARow: 0 } }, 'opens.inARow'],
    [{ opens: { share: 1, of: 10 } }, 'opens.share'],
    [{ opens: { share: 0.5, of: 0 } }, 'opens.of'],
    [{ opens: { share: 0.5, of: 10, least: 11 } }, 'opens.least'],
    [{ opens: { inARow: 5, of: 10 } }, 'opens'],
    [{ openFor: 0 }, 'openFor'],
    [{ timeout: 'soon' }, 'timeout'],
    [{ forget: -1 }, 'forget'],
    [{ isFailure: true }, 'isFailure'],
    [{ node: '' }, 'node'],
    [{ board: () => {} }, 'board'],
    [{ fallback: () => 1 }, 'fallback'],
  ])('that are wrong are refused, by name: %j', (options, named) => {
    expect(() => createBreaker({ name: 'mail', ...options } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(named) }),
    );
  });

  it('need a name and nothing else', () => {
    expect(createBreaker({ name: 'mail' }).status()).toMatchObject({ state: 'closed', board: 'none' });
    expect(() => createBreaker(undefined as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});
