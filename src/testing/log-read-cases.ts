import assert from 'node:assert/strict';
import { appended, appendedAt, Drafts, type LogSubject, recordsOf } from './log-subject.ts';
import type { ContractCase } from './runner.ts';
import { LONG_WAIT, soon } from './soon.ts';

/** What a reading brings, when, and what it proves. */
export const logReadCases: Readonly<Record<string, ContractCase<LogSubject>>> = {
  'read: the records after a number, in order, with the head': async (subject) => {
    const numbers = await appended(subject, ...new Drafts().many(5));
    const { epoch } = await subject.log.snapshot();
    for (const [i, number] of [0, ...numbers].entries()) {
      const reading = await subject.log.read({ epoch, number }, { wait: 0, limit: 100 });
      assert.deepEqual(
        reading.records.map((it) => it.number),
        numbers.slice(i),
      );
      assert.deepEqual([reading.epoch, reading.head], [epoch, numbers.at(-1)]);
    }
  },

  'read: at most as many as asked for, the oldest of them': async (subject) => {
    const numbers = await appended(subject, ...new Drafts().many(7));
    const { epoch } = await subject.log.snapshot();
    const seen: number[] = [];
    for (let after = 0; after !== numbers.at(-1); after = seen.at(-1) ?? 0) {
      const { records, head } = await subject.log.read({ epoch, number: after }, { wait: 0, limit: 3 });
      assert.ok(records.length > 0 && records.length <= 3, `${records.length} records of 3`);
      assert.equal(head, numbers.at(-1));
      seen.push(...records.map((it) => it.number));
    }
    assert.deepEqual(seen, numbers);
  },

  'read: the head alone where no record is asked for': async (subject) => {
    const [, last] = await appended(subject, ...new Drafts().many(2));
    const { epoch } = await subject.log.snapshot();
    const reading = await subject.log.read({ epoch, number: 0 }, { wait: 0, limit: 0 });
    assert.deepEqual([reading.epoch, reading.head, reading.records], [epoch, last, []]);
  },

  'read: no records for who is in another epoch, whatever the number': async (subject) => {
    const [number = 0] = await appended(subject, ...new Drafts().many(2));
    const { epoch, head } = await subject.log.snapshot();
    for (const other of [
      { epoch: '', number: 0 },
      { epoch: '0123456789abcdef', number: 0 },
      { epoch: '0123456789abcdef', number },
      { epoch: '0123456789abcdef', number: Number.MAX_SAFE_INTEGER },
    ]) {
      const reading = await subject.log.read(other, { wait: 0, limit: 100 });
      assert.deepEqual([reading.epoch, reading.head, reading.records], [epoch, head, []]);
    }
  },

  'read: waits for a record, and brings it as soon as it is appended': async (subject) => {
    const { log, elapse } = subject;
    const drafts = new Drafts();
    const number = await appendedAt(subject, drafts.make());
    const { epoch } = await log.snapshot();
    const waiting = log.read({ epoch, number }, { wait: LONG_WAIT, limit: 100 });
    await elapse(50);
    const next = await appendedAt(subject, drafts.make());
    const { records, head } = await soon(elapse, 'a reading that was woken', waiting);
    assert.deepEqual([records.map((it) => [it.prev, it.number]), head], [[[number, next]], next]);
  },

  'read: waits no longer than asked': async (subject) => {
    const { log, elapse } = subject;
    const number = await appendedAt(subject, new Drafts().make());
    const { epoch } = await log.snapshot();
    const reading = await soon(elapse, 'a wait of 200 ms', log.read({ epoch, number }, { wait: 200, limit: 100 }));
    assert.deepEqual([reading.epoch, reading.head, reading.records], [epoch, number, []]);
  },

  'read: does not wait where there are records, or none may be waited for': async (subject) => {
    const { log, elapse } = subject;
    const number = await appendedAt(subject, new Drafts().make());
    const { epoch } = await log.snapshot();
    const found = log.read({ epoch, number: 0 }, { wait: LONG_WAIT, limit: 100 });
    assert.equal((await soon(elapse, 'a reading with records', found)).records.length, 1);
    const none = log.read({ epoch, number }, { wait: 0, limit: 100 });
    assert.deepEqual((await soon(elapse, 'a reading without a wait', none)).records, []);
  },

  'read: several wait at once, and each is woken': async (subject) => {
    const { log, elapse } = subject;
    const { epoch, head } = await log.snapshot();
    const read = () => log.read({ epoch, number: head }, { wait: LONG_WAIT, limit: 100 });
    const waiting = [read(), read(), read()];
    await elapse(50);
    const number = await appendedAt(subject, new Drafts().make());
    for (const reading of await soon(elapse, 'readings that were woken', Promise.all(waiting)))
      assert.deepEqual([reading.head, reading.records.map((it) => it.number)], [number, [number]]);
  },

  'read: what was appended before it was asked is in it': async (subject) => {
    const drafts = new Drafts();
    for (let i = 0; i < 20; i++) {
      const number = await appendedAt(subject, drafts.make());
      assert.equal((await recordsOf(subject)).at(-1)?.number, number);
    }
  },

  'read: a proof is dated between the sending of its request and the answer': async ({ log, now, elapse }) => {
    const { epoch, head } = await log.snapshot();
    for (const wait of [0, 200]) {
      const sentAt = now();
      const reading = await soon(elapse, 'a reading', log.read({ epoch, number: head }, { wait, limit: 100 }));
      assertProof(reading.provenAt, sentAt, now());
      await elapse(20);
    }
  },

  'snapshot: a proof is dated between the sending of its request and the answer': async ({ log, now, elapse }) => {
    for (let i = 0; i < 2; i++) {
      const sentAt = now();
      const { provenAt } = await log.snapshot();
      assertProof(provenAt, sentAt, now());
      await elapse(20);
    }
  },

  'close: ends the readings that wait': async ({ log, elapse }) => {
    const { epoch, head } = await log.snapshot();
    const waiting = log.read({ epoch, number: head }, { wait: LONG_WAIT, limit: 100 });
    const ended = waiting.then(
      ({ records }) => assert.deepEqual(records, []),
      () => {}, // the usual way
    );
    await elapse(50);
    await log.close();
    await soon(elapse, 'a reading of a closed log', ended);
  },
};

function assertProof(provenAt: number | undefined, sentAt: number, now: number): void {
  assert.ok(provenAt !== undefined, 'no proof, though nothing is wrong');
  assert.ok(provenAt >= sentAt, `dated ${sentAt - provenAt} ms before its request was sent`);
  assert.ok(provenAt <= now, `dated ${provenAt - now} ms after its answer`);
}
