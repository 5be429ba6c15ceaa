import { beforeEach, describe, expect, it } from 'vitest';
import { LsnBound } from './lsn-bound.ts';

const EPOCH = 'aaaaaaaaaaaaaaaa';

let bound: LsnBound;

beforeEach(() => {
  bound = new LsnBound();
});

/** A bound that was read after its maker had applied the record at `number`. */
function readAfter(number: number, lsn: bigint): { lsn: bigint; lsnAfter: { epoch: string; number: number } } {
  return { lsn, lsnAfter: { epoch: EPOCH, number } };
}

describe('LsnBound', () => {
  it('is undefined where no database was named', () => {
    bound.take({}, EPOCH, 1);
    bound.copy(undefined, 5);
    expect(bound.value).toBeUndefined();
  });

  it('is the largest, from records and copies alike', () => {
    bound.take({ lsn: 9n }, EPOCH, 1);
    bound.copy(7n, 3);
    expect(bound.value).toBe(9n);
    bound.copy(12n, 4);
    bound.take({ lsn: 11n }, EPOCH, 5);
    expect(bound.value).toBe(12n);
  });

  it('is in doubt from a record without a bound on, whatever is named meanwhile', () => {
    bound.take({ lsn: 'unknown' }, EPOCH, 2);
    bound.take({ lsn: 90n }, EPOCH, 3);
    bound.take(readAfter(1, 91n), EPOCH, 4);
    expect(bound.value).toBe('unknown');
    bound.take(readAfter(2, 80n), EPOCH, 5);
    expect(bound.value).toBe(91n);
  });

  it('has a doubt for the newest such record', () => {
    bound.take({ lsn: 'unknown' }, EPOCH, 6);
    bound.take({ lsn: 'unknown' }, EPOCH, 4);
    bound.take(readAfter(5, 90n), EPOCH, 7);
    expect(bound.value).toBe('unknown');
    bound.take(readAfter(6, 90n), EPOCH, 8);
    expect(bound.value).toBe(90n);
  });

  it('is not freed of a doubt by a bound that was read in another epoch', () => {
    bound.take({ lsn: 'unknown' }, EPOCH, 2);
    bound.take(readAfter(99, 90n), 'bbbbbbbbbbbbbbbb', 3);
    expect(bound.value).toBe('unknown');
  });

  it('takes a copy in doubt for a doubt about everything up to its head', () => {
    bound.copy('unknown', 8);
    bound.take(readAfter(7, 90n), EPOCH, 9);
    expect(bound.value).toBe('unknown');
    bound.take(readAfter(8, 90n), EPOCH, 10);
    expect(bound.value).toBe(90n);
  });

  it('takes an empty log in doubt for one, too', () => {
    bound.copy('unknown', 0);
    expect(bound.value).toBe('unknown');
  });

  it('is freed of a doubt by a copy that has the record and no doubt, not by one from before', () => {
    bound.take({ lsn: 'unknown' }, EPOCH, 5);
    bound.copy(90n, 4);
    expect(bound.value).toBe('unknown');
    bound.copy(90n, 5);
    expect(bound.value).toBe(90n);
  });

  it('goes its own way as a clone', () => {
    bound.take({ lsn: 5n }, EPOCH, 1);
    const clone = bound.clone();
    bound.take({ lsn: 'unknown' }, EPOCH, 2);
    expect([clone.value, bound.value]).toEqual([5n, 'unknown']);
  });
});
