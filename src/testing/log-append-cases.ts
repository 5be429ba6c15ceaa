import assert from 'node:assert/strict';
import { checkNumber, formatToken, parseToken } from '../coherence/position.ts';
import type { Draft } from '../coherence/record.ts';
import { appended, appendedAt, Drafts, labelOf, type LogSubject, recordsOf } from './log-subject.ts';
import type { ContractCase } from './runner.ts';

/** Numbers, order, and what a record carries. */
export const logAppendCases: Readonly<Record<string, ContractCase<LogSubject>>> = {
  'append: answers one number for each draft, each larger than the last': async (subject) => {
    const drafts = new Drafts();
    const numbers: number[] = [];
    for (const count of [1, 3, 0, 2]) {
      const some = await appended(subject, ...drafts.many(count));
      assert.equal(some.length, count);
      numbers.push(...some);
    }
    for (const [i, number] of numbers.entries())
      assert.ok(checkNumber(number) > (numbers[i - 1] ?? 0), `${number} after ${numbers[i - 1]}`);
  },

  'append: answers the epoch of the log, whose positions have tokens': async (subject) => {
    const { epoch, numbers } = await subject.log.append(new Drafts().many(1));
    const position = { epoch, number: numbers[0] ?? 0 };
    assert.deepEqual(parseToken(formatToken(position)), position);
    assert.equal((await subject.log.snapshot()).epoch, epoch);
  },

  'append: chains the records, the first of them to 0': async (subject) => {
    const drafts = new Drafts();
    for (const count of [2, 1, 3]) await appended(subject, ...drafts.many(count));
    await assertChain(subject, 6);
  },

  'append: keeps the order of drafts, and all of them': async (subject) => {
    const sent = new Drafts().many(50);
    const numbers = await appended(subject, ...sent);
    const records = await recordsOf(subject);
    assert.deepEqual(
      records.map(({ id, number }) => [id, number]),
      sent.map(({ id }, i) => [id, numbers[i]]),
    );
  },

  'append: many at once are all made, each in its own order': async (subject) => {
    const drafts = new Drafts();
    const batches = Array.from({ length: 20 }, () => drafts.many(3));
    const answers = await Promise.all(batches.map((batch) => appended(subject, ...batch)));
    await assertChain(subject, 60);
    const at = new Map((await recordsOf(subject)).map(({ id, number }) => [id, number]));
    for (const [i, batch] of batches.entries()) {
      assert.deepEqual(
        batch.map(({ id }) => at.get(id)),
        answers[i],
      );
      assert.deepEqual(
        answers[i],
        answers[i]?.toSorted((a, b) => a - b),
      );
    }
  },

  'append: a thousand drafts, and a draft of a thousand labels': async (subject) => {
    const drafts = new Drafts();
    const labels = Array.from({ length: 1_000 }, (_, i) => labelOf(i));
    const patterns = Array.from({ length: 100 }, (_, i) => `pattern:${i}:*`);
    await appended(subject, ...drafts.many(1_000));
    const number = await appendedAt(subject, drafts.make({ labels, patterns }));
    await assertChain(subject, 1_001);
    const [last] = (await recordsOf(subject)).slice(-1);
    assert.deepEqual([last?.number, last?.labels, last?.patterns], [number, labels, patterns]);
  },

  'append: the same draft twice is two records, for a duplicate is harmless and a dropped one is not': async (
    subject,
  ) => {
    const twice = new Drafts().make({ labels: [labelOf(1)] });
    const first = await appendedAt(subject, twice);
    const second = await appendedAt(subject, twice);
    assert.ok(second > first);
    assert.deepEqual(
      (await recordsOf(subject)).map(({ id, number }) => [id, number]),
      [
        [twice.id, first],
        [twice.id, second],
      ],
    );
  },

  'append: changes neither drafts nor their lists': async (subject) => {
    const sent = new Drafts().make({ labels: [labelOf(1)], patterns: ['a*'], cause: { fields: { a: '1' } } });
    const before = structuredClone(sent);
    await appended(subject, sent);
    assert.deepEqual(sent, before);
  },

  'append: every kind, bound and extension survives': async (subject) => {
    const sent = everyDraft();
    await appended(subject, ...sent);
    const records = await recordsOf(subject);
    assert.equal(records.length, sent.length);
    for (const [i, { number: _, prev: __, time: ___, ...carried }] of records.entries()) {
      const { time: ____, ...draft } = sent[i] as Draft;
      assert.deepEqual(told(carried), told(draft));
    }
  },
};

/** All that a record may hold, at its limits. Times are the log's own business. */
function everyDraft(): readonly Draft[] {
  const drafts = new Drafts();
  const labels = [labelOf(1), { high: -(2 ** 31), low: 2 ** 31 - 1 }, { high: 0, low: 0 }, { high: -1, low: -1 }];
  const announced = drafts.make({ kind: 'announce', labels, patterns: ['a*'] });
  const cause = { event: 'budget.updated', entityType: 'budget', entityId: 'B123', action: 'update' };
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  return [
    drafts.make({ labels }),
    drafts.make({ patterns: ['*:b', 'a?\\*', '鍵*', '😀?', 'x'.repeat(255).concat('*')] }),
    drafts.make({ kind: 'everything' }),
    announced,
    drafts.make({ kind: 'close', closes: announced.id, labels, patterns: ['a*'] }),
    drafts.make({ kind: 'floor', floor: 0 }),
    drafts.make({ kind: 'floor', floor: 1 }),
    drafts.make({ id: 'f'.repeat(32), origin: 'größe#7f3a' }),
    drafts.make({ lsn: 'unknown' }),
    drafts.make({ lsn: 0n }),
    drafts.make({ lsn: 2n ** 64n - 1n, lsnAfter: { epoch: '0123456789abcdef', number: Number.MAX_SAFE_INTEGER } }),
    drafts.make({ targets: ['key user:42', 'tag größe', 'pattern a\\*:*'] }),
    drafts.make({ targets: [] }),
    drafts.make({ cause: { ...cause, trace, fields: { org: 'ORG1', größe: '鍵 "😀"\n', __proto: '' } } }),
    drafts.make({ cause: {} }),
  ];
}

/** Every record names the one before it, and the head is the last. */
async function assertChain(subject: LogSubject, count: number): Promise<void> {
  const records = await recordsOf(subject);
  assert.deepEqual(
    records.map(({ prev }) => prev),
    [0, ...records.slice(0, -1).map(({ number }) => number)],
  );
  assert.equal(records.length, count);
  assert.equal((await subject.log.snapshot()).head, records.at(-1)?.number);
}

/** Without the fields that are undefined: whether they are there is nobody's business. */
function told(draft: object): object {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
}
