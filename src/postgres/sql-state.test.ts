import { describe, expect, it } from 'vitest';
import { isRolledBack, isTransient, sqlState } from './sql-state.ts';

describe('sqlState', () => {
  it.each([
    [{ code: '40001' }, '40001'],
    [new Error('query', { cause: { code: '23505' } }), '23505'],
    [new Error('a', { cause: new Error('b', { cause: { code: '57P01' } }) }), '57P01'],
    [{ code: 'EPIPE' }, undefined],
    [{ code: 'ECONNRESET', cause: { code: '08006' } }, '08006'],
    [{ code: 40001 }, undefined],
    [new Error('no code'), undefined],
    ['40001', undefined],
    [undefined, undefined],
    [null, undefined],
  ])('of %j is %j', (error, state) => {
    expect(sqlState(error)).toBe(state);
  });

  it('ends where an error is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(sqlState(error)).toBeUndefined();
  });
});

it('a rollback is proved by an answer of the server, but not by one that says that the connection ends', () => {
  for (const state of ['23505', '40001', '40P01', '25P02', '57014', '25006']) expect(isRolledBack(state)).toBe(true);
  for (const state of ['08006', '08P01', '40003', '57P01', '57P03', '58030', 'XX000', undefined])
    expect(isRolledBack(state)).toBe(false);
});

it('a failure of serialization and a deadlock may pass', () => {
  expect(['40001', '40P01', '23505', undefined].map(isTransient)).toEqual([true, true, false, false]);
});
