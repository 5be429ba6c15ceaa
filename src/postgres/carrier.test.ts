import { describe, expect, it } from 'vitest';
import type { Draft } from '../coherence/record.ts';
import { decodeRecord } from '../coherence/wire.ts';
import { type CarrierOptions, carryStatement, identifier } from './carrier.ts';

const draft: Draft = {
  kind: 'invalidate',
  id: '0123456789abcdef0123456789abcdef',
  origin: 'transaction#1',
  labels: [{ high: 1, low: -2 }],
  patterns: ['a*'],
  lsn: 'unknown',
  time: 5,
  targets: ['key user:1'],
};

const outbox: CarrierOptions = { carrier: 'outbox', schema: 'tidemark', notify: true };

describe('the statement', () => {
  it('has the record as its one parameter, in text', () => {
    for (const options of [outbox, { ...outbox, notify: false }, { ...outbox, carrier: 'wal' } as const]) {
      const { values = [] } = carryStatement(draft, false, options) ?? {};
      expect(values.length).toBe(1);
      const { record } = decodeRecord(Buffer.from(values[0] ?? '', 'base64'));
      expect(record).toMatchObject({ ...draft, number: 0, prev: 0 });
    }
  });

  it('is one insert, which wakes the relay where it is told to', () => {
    expect(carryStatement(draft, false, { ...outbox, notify: false })?.text).toBe(
      `INSERT INTO "tidemark".outbox (message) VALUES (decode($1::text, 'base64'))`,
    );
    expect(carryStatement(draft, false, outbox)?.text).toMatch(
      /^WITH kept AS \(INSERT INTO "tidemark"\.outbox .* RETURNING 1\) SELECT pg_notify\('tidemark', ''\)::text AS carried FROM kept$/,
    );
  });

  it('is one message of the log', () => {
    expect(carryStatement(draft, false, { ...outbox, carrier: 'wal' })?.text).toMatch(
      /^SELECT pg_logical_emit_message\(true, 'tidemark', /,
    );
  });

  it('tells which transaction it is, where that is asked', () => {
    for (const carrier of ['outbox', 'wal', 'none'] as const)
      for (const notify of [true, false]) {
        const statement = carryStatement(draft, true, { ...outbox, carrier, notify });
        expect(statement?.text).toMatch(/pg_current_xact_id\(\)::text AS xid, .* AS identity/);
        expect(statement?.text).not.toContain(';');
      }
  });

  it('is none where nothing is carried and nothing is asked', () => {
    expect(carryStatement(draft, false, { ...outbox, carrier: 'none' })).toBeUndefined();
  });

  it('names the schema as SQL takes it', () => {
    const statement = carryStatement(draft, false, { ...outbox, schema: 'a".b' });
    expect(statement?.text).toContain('INSERT INTO "a"".b".outbox ');
  });
});

it.each(['', 'x'.repeat(64), 'ü'.repeat(32), 'a\0b', 5, undefined])('%j is no name', (name) => {
  expect(() => identifier(name as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
});
