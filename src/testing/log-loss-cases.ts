import assert from 'node:assert/strict';
import { appended, appendedAt, Drafts, labelOf, type LogSubject, recordsOf } from './log-subject.ts';
import { assertFollowed } from './log-state-cases.ts';
import type { ContractCase } from './runner.ts';

/** Loss is evident: by the chain where records are gone, by a new epoch where more may be. */
export const logLossCases: Readonly<Record<string, ContractCase<LogSubject>>> = {
  'loss: who reports a number past the head makes the log begin a new epoch': async (subject) => {
    const { log } = subject;
    const number = await appendedAt(subject, new Drafts().make({ labels: [labelOf(1)] }));
    const { epoch } = await log.snapshot();
    const reading = await log.read({ epoch, number: number + 1 }, { wait: 0, limit: 100 });
    assert.notEqual(reading.epoch, epoch);
    assert.deepEqual(reading.records, []);
    await assertBegun(subject, epoch);
  },

  'loss: an append that follows it is answered with a new epoch': async (subject) => {
    const { epoch } = await filled(subject);
    await lose(subject);
    const answer = await subject.log.append(new Drafts().many(1));
    assert.notEqual(answer.epoch, epoch);
    const [first, ...others] = await recordsOf(subject);
    assert.deepEqual([first?.prev, first?.number, others], [0, answer.numbers[0], []]);
  },

  'loss: a reading that follows it is of a new epoch, without records': async (subject) => {
    const { epoch } = await filled(subject);
    await lose(subject);
    for (const number of [0, 1]) {
      const reading = await subject.log.read({ epoch, number }, { wait: 0, limit: 100 });
      assert.notEqual(reading.epoch, epoch);
      assert.deepEqual([reading.head, reading.records], [0, []]);
    }
  },

  'loss: a snapshot that follows it is of a new epoch, knows nothing, and knows no bound of commits': async (
    subject,
  ) => {
    const { epoch } = await filled(subject);
    await lose(subject);
    await assertBegun(subject, epoch);
  },

  'loss: a new epoch is a log like any other': async (subject) => {
    await filled(subject);
    await lose(subject);
    const start = await subject.log.snapshot();
    await filled(subject);
    await assertFollowed(subject, await recordsOf(subject), start);
  },

  'loss: trimmed records break the chain, and the snapshot is whole': async (subject) => {
    const start = await subject.log.snapshot();
    const drafts = new Drafts();
    const numbers: number[] = [];
    // One append each: a log may keep together, and forget together, what was appended together.
    for (let i = 0; i < 10; i++)
      numbers.push(await appendedAt(subject, drafts.make({ labels: [labelOf(i)], patterns: i === 0 ? ['a*'] : [] })));
    const records = await recordsOf(subject);
    await trim(subject, numbers[5] ?? 0);
    const left = await recordsOf(subject);
    assert.notEqual(left[0]?.prev, 0);
    assert.deepEqual(
      (await recordsOf(subject, numbers[5])).map((it) => it.number),
      numbers.slice(6),
    );
    await assertFollowed(subject, records, start);
  },

  'loss: where all records are trimmed, an empty answer below the head shows it': async (subject) => {
    const { epoch, head } = await filled(subject);
    await trim(subject, head);
    const reading = await subject.log.read({ epoch, number: 0 }, { wait: 0, limit: 100 });
    assert.deepEqual([reading.epoch, reading.head, reading.records], [epoch, head, []]);
    const next = await appendedAt(subject, new Drafts().make());
    assert.deepEqual(
      (await recordsOf(subject, head)).map((it) => [it.prev, it.number]),
      [[head, next]],
    );
  },
};

/** A log that knows something of every kind that a snapshot holds. */
async function filled(subject: LogSubject): Promise<{ readonly epoch: string; readonly head: number }> {
  const drafts = new Drafts();
  await appended(subject, drafts.make({ kind: 'everything', lsn: 7n }), drafts.make({ labels: [labelOf(1)] }));
  await appended(subject, drafts.make({ patterns: ['a*'] }));
  return subject.log.snapshot();
}

async function assertBegun(subject: LogSubject, epoch: string): Promise<void> {
  const snapshot = await subject.log.snapshot();
  assert.notEqual(snapshot.epoch, epoch);
  const { head, floor, bans, announcements, lsn } = snapshot;
  assert.deepEqual(
    { head, floor, bans, announcements, lsn },
    { head: 0, floor: 0, bans: [], announcements: [], lsn: 'unknown' },
  );
  assert.ok(snapshot.table.every((byte) => byte === 0));
}

async function lose({ lose: forget }: LogSubject): Promise<void> {
  assert.ok(forget, 'Give the subject a `lose`, or skip the case with a reason.');
  await forget();
}

async function trim({ trim: cut }: LogSubject, number: number): Promise<void> {
  assert.ok(cut, 'Give the subject a `trim`, or skip the case with a reason.');
  await cut(number);
}
