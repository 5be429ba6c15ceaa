import assert from 'node:assert/strict';
import type { Lease, LeaseAnswer } from '../cache/lease.ts';
import { type ContractCase, type ContractOptions, type Runner, runContract } from './runner.ts';

/** A lease that nobody holds anything of, as the contract handles it. */
export interface LeaseSubject {
  readonly lease: Lease;
  /** Lets at least so many ms pass, for the lease and for its server. */
  readonly elapse: (ms: number) => Promise<void>;
}

/** Time of a lease that runs out in a case; and of one that does not, in ms. */
const SHORT = 200;
const LONG = 60_000;
/** How much later than promised a server may forget a lease, in ms. */
const LATE = 100;

/**
 * What every {@link Lease} does while its server is up. Exclusion after a lease has run out, or across the loss of a
 * server, is not promised and not tested.
 *
 * @example
 * leaseContract({ describe, it, beforeEach, afterEach }, { name: 'my lease', open: () => ({ lease, elapse }) });
 */
export function leaseContract<S extends LeaseSubject>(runner: Runner, options: ContractOptions<S>): void {
  runContract(runner, options, cases);
}

const cases: Readonly<Record<string, ContractCase<LeaseSubject>>> = {
  'grants what nobody holds': async ({ lease }) => {
    await granted(lease.acquire('k', LONG));
  },

  'has one holder at a time': async ({ lease }) => {
    await granted(lease.acquire('k', LONG));
    await refused(lease.acquire('k', LONG));
    await refused(lease.acquire('k', LONG));
  },

  'grants one of many who ask at once': async ({ lease }) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => lease.acquire('k', LONG)));
    assert.equal(answers.filter((it) => it.granted).length, 1);
  },

  'tells who is refused how long to wait: more than nothing, no longer than the holder has': async ({ lease }) => {
    await granted(lease.acquire('k', SHORT));
    const { wait } = await refused(lease.acquire('k', LONG));
    assert.ok(wait > 0 && wait <= SHORT, `a wait of ${wait} ms for a lease of ${SHORT} ms`);
  },

  'is granted again once it was given back': async ({ lease }) => {
    await (await granted(lease.acquire('k', LONG))).release();
    await (await granted(lease.acquire('k', LONG))).release();
    await granted(lease.acquire('k', LONG));
  },

  'is granted again once its time is over': async ({ lease, elapse }) => {
    await granted(lease.acquire('k', SHORT));
    await elapse(SHORT + LATE);
    await granted(lease.acquire('k', LONG));
  },

  'is held for all of its time': async ({ lease, elapse }) => {
    await granted(lease.acquire('k', LONG));
    await elapse(SHORT);
    await refused(lease.acquire('k', LONG));
  },

  'is held for longer when it is extended': async ({ lease, elapse }) => {
    const held = await granted(lease.acquire('k', SHORT));
    assert.equal(await held.extend(LONG), true);
    await elapse(SHORT + LATE);
    await refused(lease.acquire('k', LONG));
    await held.release();
    await granted(lease.acquire('k', LONG));
  },

  'cannot be extended once another holds it': async ({ lease, elapse }) => {
    const late = await granted(lease.acquire('k', SHORT));
    await elapse(SHORT + LATE);
    const next = await granted(lease.acquire('k', LONG));
    assert.equal(await late.extend(LONG), false);
    await next.release();
    await granted(lease.acquire('k', LONG));
  },

  'cannot be extended once it was given back': async ({ lease }) => {
    const held = await granted(lease.acquire('k', LONG));
    await held.release();
    assert.equal(await held.extend(LONG), false);
    await granted(lease.acquire('k', LONG));
  },

  'comes to who waits as told, and asks again': async ({ lease, elapse }) => {
    await granted(lease.acquire('k', SHORT));
    let waited = 0;
    for (let answer = await lease.acquire('k', LONG); !answer.granted; answer = await lease.acquire('k', LONG)) {
      assert.ok(waited < SHORT + LATE, `not granted after ${waited} ms, though it was held for ${SHORT} ms`);
      await elapse(answer.wait);
      waited += answer.wait;
    }
  },

  'is of one key: others are free': async ({ lease }) => {
    const keys = ['k', 'k:1', 'k:1:2', 'K', 'k*', ' k', 'k\\:1', '{k}', 'schlüssel', '鍵', 'x'.repeat(1024)];
    for (const key of keys) await granted(lease.acquire(key, LONG));
    for (const key of keys) await refused(lease.acquire(key, LONG));
  },

  'given back too late does not free the next holder': async ({ lease, elapse }) => {
    const late = await granted(lease.acquire('k', SHORT));
    await elapse(SHORT + LATE);
    await granted(lease.acquire('k', LONG));
    await late.release();
    await refused(lease.acquire('k', LONG));
  },

  'given back twice does not free the next holder': async ({ lease }) => {
    const twice = await granted(lease.acquire('k', LONG));
    await twice.release();
    await granted(lease.acquire('k', LONG));
    await twice.release();
    await refused(lease.acquire('k', LONG));
  },

  'may be given back after its time': async ({ lease, elapse }) => {
    const late = await granted(lease.acquire('k', SHORT));
    await elapse(SHORT + LATE);
    await late.release();
    await granted(lease.acquire('k', LONG));
  },

  'takes a time that is not a whole number': async ({ lease }) => {
    await granted(lease.acquire('k', LONG + 0.25));
    await refused(lease.acquire('k', LONG + 0.25));
  },
};

async function granted(asked: Promise<LeaseAnswer>): Promise<LeaseAnswer & { readonly granted: true }> {
  const answer = await asked;
  assert.ok(answer.granted, 'refused, though nobody holds it');
  return answer;
}

async function refused(asked: Promise<LeaseAnswer>): Promise<LeaseAnswer & { readonly granted: false }> {
  const answer = await asked;
  assert.ok(!answer.granted, 'granted, though another holds it');
  return answer;
}
