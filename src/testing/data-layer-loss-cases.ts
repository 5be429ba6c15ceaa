import assert from 'node:assert/strict';
import { key } from '../index.ts';
import { Transactions } from '../postgres/transaction.ts';
import { assertNothing, type DataLayerScene, insert, outbox, rows } from './data-layer-subject.ts';
import type { ContractCase } from './runner.ts';
import { waitUntil } from './wait-until.ts';

/** Connections that are lost. */
export const dataLayerLossCases: Readonly<Record<string, ContractCase<DataLayerScene>>> = {
  'losing the connection before COMMIT: says nothing, and the next transaction has another': async ({
    subject,
    witness,
  }) => {
    const transactions = new Transactions(witness);
    const lost = subject.transaction(transactions, async (tx) => {
      await tx.run(insert(1));
      tx.invalidate(key('row', 1));
      const [own] = await tx.run('SELECT pg_backend_pid()::text AS pid');
      await subject.ask(`SELECT pg_terminate_backend(${String(own?.['pid'])}, 5000)`);
    });
    await assert.rejects(lost);
    await assertNothing(subject, witness);
    const next = (): Promise<unknown> =>
      subject.transaction(transactions, async (tx) => {
        await tx.run(insert(2));
        tx.invalidate(key('row', 2));
      });
    // A pool may first give out the connection that was lost.
    await waitUntil(() => next().then(() => true));
    assert.deepEqual(witness.targets, [['key row:2']]);
  },

  'losing the connection in a COMMIT: invalidates, since it may have committed': async ({ subject, witness }) => {
    for (const carrier of ['outbox', 'none'] as const) {
      const transactions = new Transactions(witness, { carrier, replicas: true });
      let reached = false;
      const lose = (): Promise<unknown> =>
        subject.transaction(transactions, async (tx) => {
          await tx.run(insert(1));
          await tx.run('INSERT INTO contract_fatal VALUES (1)');
          tx.invalidate(key('row', 1));
          reached = true;
        });
      // A pool may first give out the connection that the last one has lost.
      while (!reached) await assert.rejects(lose());
    }
    assert.deepEqual(witness.targets, [['key row:1'], ['key row:1']]);
    assert.deepEqual(
      witness.heard.map(({ lsn }) => lsn),
      ['unknown', 'unknown'],
    );
    assert.deepEqual(await outbox(subject), []);
  },

  'losing the answer to COMMIT: invalidates, since it may have committed': async ({ subject, witness }) => {
    const { loseCommit } = subject;
    assert.ok(loseCommit, 'Give the subject a `loseCommit`, or skip the case with a reason.');
    const lost = subject.transaction(new Transactions(witness), async (tx) => {
      await tx.run(insert(1));
      tx.invalidate(key('row', 1));
      loseCommit();
    });
    await assert.rejects(lost);
    assert.equal((await rows(subject)).length, 1, 'it should have committed');
    assert.deepEqual(witness.targets, [['key row:1']]);
    // Whoever sees the id of the written copy in the log takes it that the commit was visible before.
    const [kept] = await outbox(subject);
    assert.ok(kept !== undefined && kept.id !== witness.heard[0]?.id, 'the record has the id of the written copy');
  },
};
