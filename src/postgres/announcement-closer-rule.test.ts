import { expect, it } from 'vitest';
import { closable } from './announcement-closer-rule.ts';

it.each(['committed', 'aborted', 'forgotten'])('closes what has ended: %s', (status) => {
  expect(closable(1_000n, status, false)).toBe(true);
});

it.each(['in progress', 'unborn', 'far', 'unknown'])('leaves open what may not have: %s', (status) => {
  expect(closable(1_000n, status, false)).toBe(false);
});

it('leaves open what still holds the lock on its id: it is not visible yet', () => {
  expect(closable(1_000n, 'committed', true)).toBe(false);
});

it('takes no transaction for one that has no id of one', () => {
  expect(closable(0n, 'forgotten', false)).toBe(false);
  expect(closable(2n, 'committed', false)).toBe(false);
});
