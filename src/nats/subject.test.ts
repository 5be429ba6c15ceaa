import { expect, it } from 'vitest';
import { checkSubject, matches } from './subject.ts';

it.each([
  ['a.b', 'a.b', true],
  ['a.b', 'a.c', false],
  ['a.b', 'a.b.c', false],
  ['a.*', 'a.b', true],
  ['a.*', 'a', false],
  ['a.*', 'a.b.c', false],
  ['*.b', 'a.b', true],
  ['a.>', 'a.b', true],
  ['a.>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['>', 'a', true],
  ['a.*.>', 'a.b', false],
  ['a.*.c', 'a.b.c', true],
])('%s and %s: %s', (pattern, subject, expected) => {
  expect(matches(pattern, subject)).toBe(expected);
});

it.each(['', 'a.', '.a', 'a..b', 'a b', '>.a', 'a*', 'a.*b', 'a.b>'])('%j is refused', (pattern) => {
  expect(() => checkSubject(pattern, 'here')).toThrow('is no subject');
});

it.each(['a', 'a.b', '*', '>', 'a.*.>', 'a-b._c.1'])('%j is taken', (pattern) => {
  expect(() => checkSubject(pattern, 'here')).not.toThrow();
});
