import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lease, noLease } from '../cache/lease.ts';
import { CaseList } from './case-list.ts';
import { FakeClock } from './fake-clock.ts';
import { leaseContract } from './lease-contract.ts';
import { memoryLease } from './memory-lease.ts';

const runner = { describe, it, beforeEach, afterEach };
const shared = 'noLease grants everything: the flights of one process share their loads already';

/** A lease in memory on a clock of its own, changed by a test. */
function open(change: (lease: Lease, clock: FakeClock) => Lease = (lease) => lease) {
  const clock = new FakeClock();
  return { lease: change(memoryLease()({ clock }), clock), elapse: (ms: number) => clock.advance(ms) };
}

leaseContract(runner, { name: 'memoryLease keeps the contract', open: () => open() });

leaseContract(runner, {
  name: 'noLease keeps what is left of the contract',
  open: () => open(() => noLease),
  skip: {
    'has one holder at a time': shared,
    'grants one of many who ask at once': shared,
    'tells who is refused how long to wait: more than nothing, no longer than the holder has': shared,
    'is held for all of its time': shared,
    'is of one key: others are free': shared,
    'given back too late does not free the next holder': shared,
    'given back twice does not free the next holder': shared,
    'is held for longer when it is extended': shared,
    'cannot be extended once another holds it': shared,
    'cannot be extended once it was given back': shared,
    'takes a time that is not a whole number': shared,
  },
});

describe('the lease contract finds', () => {
  async function failuresOf(change: (lease: Lease, clock: FakeClock) => Lease): Promise<string[]> {
    const list = new CaseList();
    leaseContract(list, { name: 'broken', open: () => open(change) });
    return [...(await list.failures()).keys()];
  }

  it('a lease that anybody may give back', async () => {
    const anybody = (_: Lease, clock: FakeClock): Lease => {
      const held = new Map<string, number>();
      return {
        acquire: async (key, time) => {
          if (clock.monotonic() < (held.get(key) ?? 0)) return { granted: false, wait: 10 };
          held.set(key, clock.monotonic() + time);
          const extend = async (more: number): Promise<boolean> => {
            if (clock.monotonic() >= (held.get(key) ?? 0)) return false;
            held.set(key, clock.monotonic() + more);
            return true;
          };
          return { granted: true, release: async () => void held.delete(key), extend };
        },
      };
    };
    expect(await failuresOf(anybody)).toEqual([
      'cannot be extended once another holds it',
      'given back too late does not free the next holder',
      'given back twice does not free the next holder',
    ]);
  });

  it('a lease that is never given back', async () => {
    const kept = (lease: Lease): Lease => ({
      acquire: async (key, time) => {
        const answer = await lease.acquire(key, time);
        return answer.granted ? { ...answer, release: async () => {} } : answer;
      },
    });
    expect(await failuresOf(kept)).toEqual([
      'is granted again once it was given back',
      'is held for longer when it is extended',
      'cannot be extended once another holds it',
      'cannot be extended once it was given back',
      'given back twice does not free the next holder',
    ]);
  });

  it('a lease that never runs out', async () => {
    const endless = (lease: Lease): Lease => ({ acquire: (key) => lease.acquire(key, Number.POSITIVE_INFINITY) });
    expect(await failuresOf(endless)).toEqual(
      expect.arrayContaining(['is granted again once its time is over', 'comes to who waits as told, and asks again']),
    );
  });

  it('a lease that tells nobody to wait, and one that confuses keys', async () => {
    const hasty = (lease: Lease): Lease => ({
      acquire: async (key, time) => {
        const answer = await lease.acquire(key, time);
        return answer.granted ? answer : { granted: false, wait: 0 };
      },
    });
    expect(
      await failuresOf((lease) => ({ acquire: (key, time) => lease.acquire(key.split(':')[0] ?? key, time) })),
    ).toEqual(['is of one key: others are free']);
    const list = new CaseList();
    leaseContract(list, {
      name: 'hasty',
      open: () => open(hasty),
      skip: { 'comes to who waits as told, and asks again': 'no time would pass' },
    });
    expect([...(await list.failures()).keys()]).toEqual([
      'tells who is refused how long to wait: more than nothing, no longer than the holder has',
    ]);
  });
});
