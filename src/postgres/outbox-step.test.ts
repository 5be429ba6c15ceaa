import { expect, it } from 'vitest';
import { outboxStep } from './outbox-step.ts';

const row = { age: 0, known: 0, kept: false, out: false };

it('leaves a row alone for as long as its writer may still be about it', () => {
  expect(outboxStep({ ...row, age: 19, known: 19 }, 20)).toBe('wait');
  expect(outboxStep({ ...row, age: 20 }, 20)).toBe('send');
  expect(outboxStep(row, 0)).toBe('send');
});

it('does not believe a clock that went back: what it has known for that long is due', () => {
  expect(outboxStep({ ...row, age: -5_000, known: 20 }, 20)).toBe('send');
});

it('deletes what the log has proven to hold, and nothing else', () => {
  expect(outboxStep({ ...row, kept: true }, 20)).toBe('delete');
  expect(outboxStep({ ...row, kept: true, out: true, age: 9_999 }, 20)).toBe('delete');
  expect(outboxStep({ ...row, out: true, age: 9_999, known: 9_999 }, 20)).toBe('wait');
});

it('sends again what was lost', () => {
  expect(outboxStep({ ...row, age: 9_999, known: 9_999, out: false }, 20)).toBe('send');
});
