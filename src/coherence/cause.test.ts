import { describe, expect, it } from 'vitest';
import { checkDetails } from './cause.ts';
import type { Cause, Lsn } from './record.ts';

describe('what is said about a change', () => {
  it.each([
    {},
    { lsn: 'unknown' as const },
    { lsn: 0n },
    { lsn: 2n ** 64n - 1n, cause: {} },
    { id: `${'0'.repeat(31)}1` },
    { id: '0123456789abcdef'.repeat(2) },
    { cause: { event: 'budget.updated', entityId: '7', fields: { org: 'ORG1' } } as Cause },
  ])('may be %o', (details) => {
    expect(() => checkDetails(details)).not.toThrow();
  });

  it.each([
    [{ id: '0'.repeat(32) }, 'is not 32 lower-case hexadecimal digits'],
    [{ id: 'A'.repeat(32) }, 'id: "AAAA'],
    [{ id: 'a'.repeat(31) }, 'id: '],
    [{ id: `${'a'.repeat(32)}\n` }, 'id: '],
    [{ id: 7 as unknown as string }, 'id: 7 is not 32'],
    [{ lsn: -1n }, 'lsn: '],
    [{ lsn: 2n ** 64n }, 'lsn: '],
    [{ lsn: 7 as unknown as Lsn }, 'lsn: 7 is not a bigint'],
    [{ cause: 'why' as Cause }, 'cause: "why" is not an object'],
    [{ cause: { event: 7 } as unknown as Cause }, 'cause.event: 7 is not a text'],
    [{ cause: { fields: ['x'] } as unknown as Cause }, 'cause.fields: '],
    [{ cause: { fields: { n: 1n } } as unknown as Cause }, 'cause.fields.n: '],
    [{ cause: { fields: { at: new Date(0) } } as unknown as Cause }, 'cause.fields.at: '],
  ])('may not be %o', (details, message) => {
    expect(() => checkDetails(details)).toThrow(message);
  });
});
