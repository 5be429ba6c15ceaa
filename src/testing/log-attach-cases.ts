import assert from 'node:assert/strict';
import type { InvalidationLog } from '../coherence/log.ts';
import type { LogRecord } from '../coherence/record.ts';
import { appended, Drafts, followed, labelOf, type LogSubject, recordsOf, stateOf } from './log-subject.ts';
import type { ContractCase } from './runner.ts';

/** Following in the log's own process, where it is offered. */
export const logAttachCases: Readonly<Record<string, ContractCase<LogSubject>>> = {
  'attach: hands over the state, then each record in the turn of its append': async (subject) => {
    const drafts = new Drafts();
    await appended(subject, drafts.make({ labels: [labelOf(1)], patterns: ['a*'] }));
    const seen: LogRecord[] = [];
    const { snapshot, detach } = attach(subject.log, (record) => seen.push(record));
    assert.deepEqual(stateOf(snapshot), stateOf(await subject.log.snapshot()));
    const answer = subject.log.append(drafts.many(2));
    assert.equal(seen.length, 2, 'records handed over before the append has returned');
    const { numbers } = await answer;
    assert.deepEqual(
      seen.map(({ number }) => number),
      numbers,
    );
    assert.deepEqual(seen, (await recordsOf(subject)).slice(1));
    detach();
  },

  'attach: who follows knows what the log knows': async (subject) => {
    const drafts = new Drafts();
    const seen: LogRecord[] = [];
    const { snapshot, detach } = attach(subject.log, (record) => seen.push(record));
    await appended(subject, drafts.make({ labels: [labelOf(1)] }), drafts.make({ kind: 'everything' }));
    await appended(subject, drafts.make({ patterns: ['a*'] }));
    const view = followed(snapshot, seen);
    assert.deepEqual(stateOf(view.snapshot(snapshot.options, undefined)), stateOf(await subject.log.snapshot()));
    detach();
  },

  'attach: each follower hears of everything, until it detaches': async (subject) => {
    const drafts = new Drafts();
    const heard = { first: 0, second: 0 };
    const first = attach(subject.log, () => heard.first++);
    const second = attach(subject.log, () => heard.second++);
    await appended(subject, ...drafts.many(2));
    first.detach();
    first.detach();
    await appended(subject, ...drafts.many(1));
    second.detach();
    await appended(subject, ...drafts.many(1));
    assert.deepEqual(heard, { first: 2, second: 3 });
  },
};

function attach(
  log: InvalidationLog,
  onRecord: (record: LogRecord) => void,
): ReturnType<NonNullable<InvalidationLog['attach']>> {
  const attached = log.attach?.(onRecord);
  assert.ok(attached, 'The log offers no `attach`: skip the case with a reason.');
  return attached;
}
