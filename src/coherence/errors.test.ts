import { describe, expect, it } from 'vitest';
import { shorten, TidemarkError } from './errors.ts';

describe('TidemarkError', () => {
  it('carries a code for programs, a message for people and the error underneath', () => {
    const cause = new Error('underneath');
    const error = new TidemarkError('CLOSED', 'The cache is closed.', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'TidemarkError', code: 'CLOSED', message: 'The cache is closed.', cause });
    expect(String(error)).toBe('TidemarkError: The cache is closed.');
  });

  it('has no cause where there is none', () => {
    expect('cause' in new TidemarkError('CLOSED', 'The cache is closed.')).toBe(false);
  });
});

describe('shorten', () => {
  it.each([
    ['text', '"text"'],
    ['line\nbreak', '"line\\nbreak"'],
    ['', '""'],
    [42, '42'],
    [undefined, 'undefined'],
    [null, 'null'],
    [10n, '10'],
    [Symbol('s'), 'Symbol(s)'],
    [[1, 2], '1,2'],
    [Object.create(null), '[object Object]'],
  ])('shows %o as %s', (value, text) => {
    expect(shorten(value)).toBe(text);
  });

  it('survives a value whose toString throws', () => {
    const hostile = {
      toString(): string {
        throw new Error('no');
      },
    };
    expect(shorten(hostile)).toBe('[object Object]');
  });

  it('cuts what is long, and says how long it was', () => {
    expect(shorten('x'.repeat(100))).toBe(`"${'x'.repeat(59)}… (102 characters)`);
    expect(shorten('x'.repeat(10), 5)).toBe('"xxxx… (12 characters)');
    expect(shorten('x'.repeat(58))).toBe(`"${'x'.repeat(58)}"`);
  });
});
