import { expect, it } from 'vitest';
import { isBoundDue } from './bounds.ts';

it('ends a doubt that writers have not ended themselves for a while', () => {
  expect(isBoundDue('unknown', 99)).toBe(false);
  expect(isBoundDue('unknown', 100)).toBe(true);
});

it('has nothing to say where there is no doubt', () => {
  expect(isBoundDue(5n, 1_000)).toBe(false);
  expect(isBoundDue(undefined, 1_000)).toBe(false);
});
