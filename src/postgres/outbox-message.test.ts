import { expect, it } from 'vitest';
import { coverageOf, type Draft } from '../coherence/record.ts';
import { everything, key, pattern } from '../coherence/target.ts';
import { encodeDraft } from '../coherence/wire.ts';
import { outboxMessage } from './outbox-message.ts';

const draft: Draft = {
  ...coverageOf([key('a'), pattern('b:*')]),
  ...{ id: 'c'.repeat(32), origin: 'writer', time: 7, lsn: 'unknown', targets: ['key a', 'pattern b:*'] },
};
const stand = (coverage: object): Draft => ({ ...draft, ...coverage, id: 'd'.repeat(32) });

it('gives back what a transaction has written down', () => {
  const read = outboxMessage(encodeDraft(draft), stand);
  expect(read).toMatchObject({ undecodable: undefined, draft });
});

it.each([
  ['nothing', new Uint8Array()],
  ['half of it', encodeDraft(draft).slice(0, 90)],
  ['a kind of later', encodeDraft(draft).fill(77, 1, 2)],
  ['an announcement', encodeDraft({ ...draft, kind: 'announce' })],
  ['a floor', encodeDraft({ ...draft, kind: 'floor', floor: 9 })],
  ['no id', encodeDraft(draft).fill(0, 20, 36)],
])('takes %s for everything', (_, bytes) => {
  const read = outboxMessage(bytes, stand);
  expect(read.undecodable).toBeInstanceOf(Error);
  expect(read.draft).toMatchObject({ ...coverageOf([everything()]), id: 'd'.repeat(32) });
});
