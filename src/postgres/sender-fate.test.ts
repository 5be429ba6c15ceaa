import { expect, it } from 'vitest';
import { fateOf } from './sender-fate.ts';

const sent = { epoch: 'a', number: 5, at: 100 };

it.each([
  [undefined, 'open'],
  [{ epoch: 'a', number: 5, at: 100 }, 'kept'],
  [{ epoch: 'a', number: 6, at: 0 }, 'kept'],
  [{ epoch: 'a', number: 4, at: 200 }, 'open'],
  // Asked before the append was answered: the epoch may have begun since.
  [{ epoch: 'b', number: 9, at: 100 }, 'open'],
  [{ epoch: 'b', number: 1, at: 101 }, 'lost'],
] as const)('with the log proven at %o it is %s', (proof, fate) => {
  expect(fateOf(sent, proof)).toBe(fate);
});
