import assert from 'node:assert/strict';
import type { ServerCheck } from '../coherence/server-check.ts';
import { TideTable } from '../coherence/tide-table.ts';
import { appended, appendedAt, Drafts, labelOf, type LogSubject } from './log-subject.ts';
import { randomBatch } from './random-drafts.ts';
import { type ContractCase, type ContractOptions, type Runner, runContract } from './runner.ts';
import { SeededRandom } from './seeded-random.ts';

/** A server check, with the log that it asks. */
export interface CheckSubject extends Pick<LogSubject, 'log' | 'options' | 'now' | 'elapse' | 'lose'> {
  readonly check: ServerCheck;
}

/**
 * What every `ServerCheck` does: it answers what the log's snapshot says, of some labels.
 *
 * @example
 * checkContract({ describe, it, beforeEach, afterEach }, { name: 'my check', open: () => ({ check, log, options, now, elapse }) });
 */
export function checkContract<S extends CheckSubject>(runner: Runner, options: ContractOptions<S>): void {
  runContract(runner, options, cases);
}

const cases: Readonly<Record<string, ContractCase<CheckSubject>>> = {
  'answers the newest number of each label, in order': async (subject) => {
    const drafts = new Drafts();
    const first = await appendedAt(subject, drafts.make({ labels: [labelOf(1), labelOf(2)] }));
    const second = await appendedAt(subject, drafts.make({ labels: [labelOf(2)] }));
    const { newest } = await subject.check.check([labelOf(2), labelOf(9), labelOf(1), labelOf(2)]);
    assert.deepEqual(newest, [second, 0, first, second]);
  },

  'answers as of its head: what was appended before it was asked counts': async (subject) => {
    const drafts = new Drafts();
    for (let i = 0; i < 20; i++) {
      const number = await appendedAt(subject, drafts.make({ labels: [labelOf(1)] }));
      const { newest, head } = await subject.check.check([labelOf(1)]);
      assert.deepEqual([newest, head], [[number], number]);
    }
  },

  'answers without labels, and of a log without records': async ({ check, log }) => {
    const { epoch } = await log.snapshot();
    const { provenAt: _, ...answer } = await check.check([]);
    assert.deepEqual(answer, { epoch, head: 0, floor: 0, newest: [], bans: [], announcements: [] });
    assert.deepEqual((await check.check([labelOf(1)])).newest, [0]);
  },

  'answers many labels at once': async (subject) => {
    const labels = Array.from({ length: 500 }, (_, i) => labelOf(i));
    const number = await appendedAt(subject, new Drafts().make({ labels }));
    assert.deepEqual(
      (await subject.check.check(labels)).newest,
      labels.map(() => number),
    );
  },

  'knows what the snapshot knows, after any records': (subject) => assertRandom(subject, false),

  'knows what the snapshot knows, after any records and announcements': (subject) => assertRandom(subject, true),

  'dates its proof between the sending of its request and the answer': async ({ check, now, elapse }) => {
    for (let i = 0; i < 2; i++) {
      const sentAt = now();
      const { provenAt } = await check.check([labelOf(1)]);
      assert.ok(provenAt !== undefined, 'no proof, though nothing is wrong');
      assert.ok(provenAt >= sentAt && provenAt <= now(), `${provenAt} is not between ${sentAt} and ${now()}`);
      await elapse(20);
    }
  },

  'answers with a new epoch once the log has lost something': async (subject) => {
    const { check, log, lose } = subject;
    await appended(subject, new Drafts().make({ labels: [labelOf(1)] }));
    const { epoch } = await log.snapshot();
    assert.ok(lose, 'Give the subject a `lose`, or skip the case with a reason.');
    await lose();
    const answer = await check.check([labelOf(1)]);
    assert.notEqual(answer.epoch, epoch);
    assert.deepEqual(answer.newest, [0]);
  },
};

async function assertRandom(subject: CheckSubject, announcements: boolean): Promise<void> {
  const { log, check, options } = subject;
  const random = new SeededRandom(4);
  const drafts = new Drafts();
  const open: string[] = [];
  const { epoch } = await log.snapshot();
  let head = 0;
  for (let i = 0; i < 40; i++) {
    const batch = randomBatch(random, drafts, { announcements, head, epoch, open });
    head = (await appended(subject, ...batch)).at(-1) ?? head;
    if (i % 10 !== 9) continue;
    const labels = Array.from({ length: 40 }, (_, label) => labelOf(label));
    const snapshot = await log.snapshot();
    const table = new TideTable(options.slots, options.hashes);
    table.merge(snapshot.table);
    const { provenAt: _, ...answer } = await check.check(labels);
    const { floor, bans, announcements: opened } = snapshot;
    const newest = labels.map((label) => table.newest(label));
    assert.deepEqual(answer, { epoch, head, floor, newest, bans, announcements: opened });
  }
}
