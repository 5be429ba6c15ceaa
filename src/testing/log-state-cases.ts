import assert from 'node:assert/strict';
import type { Snapshot } from '../coherence/log.ts';
import type { LogRecord } from '../coherence/record.ts';
import { TideTable } from '../coherence/tide-table.ts';
import { appended, appendedAt, Drafts, followed, labelOf, type LogSubject, recordsOf, stateOf } from './log-subject.ts';
import { randomBatch } from './random-drafts.ts';
import type { ContractCase } from './runner.ts';
import { SeededRandom } from './seeded-random.ts';

/** What a snapshot holds: what a node knows that has followed from the first record on. */
export const logStateCases: Readonly<Record<string, ContractCase<LogSubject>>> = {
  'snapshot: of a log without records is empty': async ({ log, options }) => {
    const { head, floor, bans, announcements, table, options: told } = await log.snapshot();
    assert.deepEqual({ head, floor, bans, announcements }, { head: 0, floor: 0, bans: [], announcements: [] });
    assert.equal(table.length, options.slots * 8);
    assert.ok(table.every((byte) => byte === 0));
    assert.deepEqual({ ...told }, { ...options });
  },

  'snapshot: has the newest number of each label': async (subject) => {
    const drafts = new Drafts();
    const first = await appendedAt(subject, drafts.make({ labels: [labelOf(1), labelOf(2)] }));
    const second = await appendedAt(subject, drafts.make({ labels: [labelOf(2), labelOf(3)] }));
    const { slots, hashes } = subject.options;
    const table = new TideTable(slots, hashes);
    table.merge((await subject.log.snapshot()).table);
    assert.deepEqual(
      [1, 2, 3, 4].map((it) => table.newest(labelOf(it))),
      [first, second, second, 0],
    );
  },

  'snapshot: is as of its head, whatever is appended meanwhile': async (subject) => {
    const start = await subject.log.snapshot();
    const drafts = new Drafts();
    const appends: Promise<number>[] = [];
    const snapshots: Snapshot[] = [];
    for (let i = 0; i < 20; i++) {
      appends.push(appendedAt(subject, drafts.make({ labels: [labelOf(i % 9)] })));
      if (i % 4 === 3) snapshots.push(await subject.log.snapshot());
    }
    await Promise.all(appends);
    const records = await recordsOf(subject);
    for (const snapshot of snapshots) {
      const view = followed(
        start,
        records.filter((it) => it.number <= snapshot.head),
      );
      assert.deepEqual(stateOf(snapshot), stateOf(view.snapshot(start.options, undefined)));
    }
  },

  'snapshot: is a copy': async (subject) => {
    const drafts = new Drafts();
    await appended(subject, drafts.make({ labels: [labelOf(1)] }));
    const snapshot = await subject.log.snapshot();
    const before = stateOf(snapshot);
    await appended(subject, drafts.make({ labels: [labelOf(1)], patterns: ['a*'] }));
    assert.deepEqual(stateOf(snapshot), before);
    snapshot.table.fill(0);
    await assertFollowed(subject, await recordsOf(subject));
  },

  'snapshot: is what a follower knows, after any records': (subject) => assertRandom(subject, false),

  'snapshot: is what a follower knows, after any records and announcements': (subject) => assertRandom(subject, true),

  'state: everything raises the floor to its own number, and ends the bans below': async (subject) => {
    const drafts = new Drafts();
    await appended(subject, drafts.make({ patterns: ['a*'] }));
    const number = await appendedAt(subject, drafts.make({ kind: 'everything' }));
    const later = await appendedAt(subject, drafts.make({ patterns: ['b*'] }));
    const { floor, bans } = await subject.log.snapshot();
    assert.deepEqual([floor, bans.map((ban) => [ban.number, ban.pattern])], [number, [[later, 'b*']]]);
  },

  'state: a floor record raises the floor to what it states, and never lowers it': async (subject) => {
    const drafts = new Drafts();
    const [first = 0, second = 0] = await appended(subject, ...drafts.many(2));
    for (const [stated, floor] of [
      [first, first],
      [second, second],
      [first, second],
      [0, second],
    ] as const) {
      await appended(subject, drafts.make({ kind: 'floor', floor: stated }));
      assert.equal((await subject.log.snapshot()).floor, floor);
    }
  },

  'state: an announcement is open until a record closes it': async (subject) => {
    const drafts = new Drafts();
    const announced = drafts.make({ kind: 'announce', labels: [labelOf(1)], patterns: ['a*'] });
    const other = drafts.make({ kind: 'announce', labels: [labelOf(2)] });
    const [number, otherNumber] = await appended(subject, announced, other);
    const { announcements, bans } = await subject.log.snapshot();
    assert.deepEqual(announcements, [
      { id: announced.id, number, labels: [labelOf(1)], patterns: ['a*'] },
      { id: other.id, number: otherNumber, labels: [labelOf(2)], patterns: [] },
    ]);
    assert.deepEqual(bans, []);
    await appended(
      subject,
      drafts.make({ kind: 'close', closes: announced.id, labels: [labelOf(1)], patterns: ['a*'] }),
    );
    const after = await subject.log.snapshot();
    assert.deepEqual(
      [after.announcements.map((it) => it.id), after.bans.map((ban) => ban.pattern)],
      [[other.id], ['a*']],
    );
  },

  'state: the largest bound of commits counts, and an unknown one until a bound was read after it': async (subject) => {
    const drafts = new Drafts();
    const bound = async (): Promise<unknown> => (await subject.log.snapshot()).lsn;
    const known = async (lsn: bigint): Promise<void> => {
      const { epoch, head } = await subject.log.snapshot();
      await appended(subject, drafts.make({ lsn, lsnAfter: { epoch, number: head } }));
    };
    await appended(subject, drafts.make());
    await known(100n);
    assert.equal(await bound(), 100n);
    await known(90n);
    assert.equal(await bound(), 100n);
    await appended(subject, drafts.make({ lsn: 'unknown' }));
    assert.equal(await bound(), 'unknown');
    await appended(subject, drafts.make({ lsn: 200n }));
    assert.equal(await bound(), 'unknown');
    await known(150n);
    assert.equal(await bound(), 200n);
  },

  'state: a ban outlives half of maxLife': async (subject) => {
    const drafts = new Drafts();
    const number = await appendedAt(subject, drafts.make({ patterns: ['a*'] }));
    await subject.elapse(subject.options.maxLife / 2);
    await appended(subject, drafts.make());
    const { bans, floor } = await subject.log.snapshot();
    assert.deepEqual([bans.map((ban) => [ban.number, ban.pattern]), floor], [[[number, 'a*']], 0]);
  },

  'state: a ban retires after maxLife, by a record that raises the floor to it': async (subject) => {
    const { log, elapse, options } = subject;
    const start = await log.snapshot();
    const drafts = new Drafts();
    const old = await appendedAt(subject, drafts.make({ patterns: ['a*'] }));
    await elapse(options.maxLife + 50);
    const fresh = await appendedAt(subject, drafts.make({ patterns: ['b*'] }));
    await appended(subject, drafts.make());
    const { bans, floor } = await log.snapshot();
    assert.deepEqual([bans.map((ban) => [ban.number, ban.pattern]), floor], [[[fresh, 'b*']], old]);
    await assertFollowed(subject, await recordsOf(subject), start);
  },
};

/** Draws records of every kind, appends them in batches, and compares a node that copied with one that followed. */
async function assertRandom(subject: LogSubject, announcements: boolean): Promise<void> {
  const start = await subject.log.snapshot();
  const random = new SeededRandom(20_251_122);
  const drafts = new Drafts();
  const open: string[] = [];
  let head = 0;
  for (let i = 0; i < 60; i++) {
    const batch = randomBatch(random, drafts, { announcements, head, epoch: start.epoch, open });
    head = (await appended(subject, ...batch)).at(-1) ?? head;
    if (i % 20 === 19) await assertFollowed(subject, await recordsOf(subject), start);
  }
}

/** The log's snapshot is what a node knows that took over `start`, or nothing, and applied the records. */
export async function assertFollowed(
  subject: LogSubject,
  records: readonly LogRecord[],
  start?: Snapshot,
): Promise<void> {
  const snapshot = await subject.log.snapshot();
  const empty = {
    ...snapshot,
    head: 0,
    floor: 0,
    table: new Uint8Array(snapshot.table.length),
    bans: [],
    announcements: [],
  };
  const view = followed(start ?? empty, records);
  assert.deepEqual(stateOf(snapshot), stateOf(view.snapshot(snapshot.options, undefined)));
}
