import { describe, expect, it } from 'vitest';
import { judgeSlot, type ServerSlot, type SlotFacts, type SlotState } from './slot.ts';

const slot: ServerSlot = {
  ...{ plugin: 'pgoutput', database: 'shop', activePid: null, own: false, acknowledged: 100n, lost: undefined },
  ...{ lag: 0, retained: 0 },
};
const state: SlotState = { acknowledged: 100n, gap: null, publication: 'p', timeline: '00000001' };
const facts: SlotFacts = { slot, state, database: 'shop', timeline: '00000001', publication: 'p' };
const judge = (over: Partial<SlotFacts>): unknown => judgeSlot('tidemark', { ...facts, ...over });

it('a slot is good that is not further than what is written down', () => {
  expect(judge({})).toEqual({ status: 'good' });
  // 1. It is written down. 2. The relay dies. 3. The slot was not told.
  expect(judge({ slot: { ...slot, acknowledged: 50n } })).toEqual({ status: 'good' });
  expect(judge({ slot: { ...slot, activePid: 7, own: true } })).toEqual({ status: 'good' });
});

describe('changes may have been missed where', () => {
  it.each([
    ['there never was a slot', { slot: undefined, state: undefined }, false],
    ['it was dropped', { slot: undefined }, false],
    ['it is lost', { slot: { ...slot, lost: 'wal_removed' } }, false],
    ['nothing is known of it', { state: undefined }, true],
    ['it is written down', { state: { ...state, gap: 'the slot was made' } }, true],
    ['it is further', { slot: { ...slot, acknowledged: 101n } }, true],
    ['the server is another one', { timeline: '00000002' }, true],
    ['something else was published', { publication: 'q' }, true],
  ])('%s', (_, over: Partial<SlotFacts>, exists) => {
    expect(judge(over)).toMatchObject({ status: 'gap', exists });
  });
});

describe('somebody has to mend it where', () => {
  it.each([
    [{ plugin: null }, 'is a physical one'],
    [{ plugin: 'wal2json' }, 'is one of the plugin wal2json'],
    [{ database: 'other' }, 'belongs to the database "other"'],
    [{ activePid: 7 }, 'in use by another reader, the server process 7'],
  ])('%j', (over, message) => {
    expect(judge({ slot: { ...slot, ...over } })).toMatchObject({
      status: 'wrong',
      error: { code: 'INVALID_OPTION', message: expect.stringContaining(message) },
    });
  });
});
