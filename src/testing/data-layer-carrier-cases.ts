import assert from 'node:assert/strict';
import type { Draft } from '../coherence/record.ts';
import { decodeRecord } from '../coherence/wire.ts';
import { key, tag } from '../index.ts';
import { type Invalidator, Transactions, type TransactionsOptions } from '../postgres/transaction.ts';
import { type DataLayerScene, type DataLayerSubject, insert, outbox } from './data-layer-subject.ts';
import type { ContractCase } from './runner.ts';

const CARRIERS: readonly TransactionsOptions[] = [
  { carrier: 'outbox' },
  { carrier: 'outbox', notify: false },
  { carrier: 'wal' },
  { carrier: 'none' },
];

/** What is written down in the transaction. */
export const dataLayerCarrierCases: Readonly<Record<string, ContractCase<DataLayerScene>>> = {
  'outbox: has one row of a committed transaction, with the id of its record': async ({ subject, witness }) => {
    for (const notify of [true, false]) {
      const cause = { event: 'row.added', fields: { notify: String(notify) } };
      await subject.transaction(
        new Transactions(witness, { notify }),
        async (tx) => {
          await tx.run(insert(notify ? 1 : 2));
          tx.invalidate(key('row', 1), tag("it's"));
        },
        { cause },
      );
      const kept = (await outbox(subject)).at(-1);
      assert.deepEqual(kept?.targets, ['key row:1', "tag it's"]);
      assert.equal(kept?.id, witness.heard.at(-1)?.id);
      assert.equal(kept?.lsn, 'unknown');
      assert.deepEqual(kept?.cause, cause);
    }
    assert.equal((await outbox(subject)).length, 2);
  },

  'wal: has one message of a committed transaction, with the id of its record, and none of another': async ({
    subject,
    witness,
  }) => {
    const { ask } = subject;
    await ask('CREATE PUBLICATION contract');
    await ask("SELECT FROM pg_create_logical_replication_slot('contract', 'pgoutput')");
    try {
      const transactions = new Transactions(witness, { carrier: 'wal' });
      const write = (id: number, fail: boolean): Promise<unknown> =>
        subject.transaction(transactions, async (tx) => {
          await tx.run(insert(id));
          tx.invalidate(key('row', id));
          if (fail) throw new Error('no');
        });
      await assert.rejects(write(1, true));
      await write(2, false);
      const messages = await messagesOf(subject);
      assert.deepEqual(
        messages.map(({ id, targets }) => ({ id, targets })),
        [{ id: witness.heard[0]?.id, targets: ['key row:2'] }],
      );
      assert.deepEqual(await outbox(subject), []);
    } finally {
      await ask("SELECT pg_drop_replication_slot('contract')");
      await ask('DROP PUBLICATION contract');
    }
  },

  'none: writes nothing down': async ({ subject, witness }) => {
    await subject.transaction(new Transactions(witness, { carrier: 'none' }), async (tx) => {
      await tx.run(insert(1));
      tx.invalidate(key('row', 1));
    });
    assert.deepEqual(witness.targets, [['key row:1']]);
    assert.deepEqual(await outbox(subject), []);
  },

  'every carrier takes at most one statement more': async ({ subject, witness }) => {
    const { statements } = subject;
    assert.ok(statements, 'Give the subject `statements`, or skip the case with a reason.');
    const quiet: Invalidator = { invalidate: (...args) => witness.cache.invalidate(...args) };
    let id = 0;
    for (const options of CARRIERS) {
      const transactions = new Transactions(quiet, options);
      const count = async (collect: boolean): Promise<number> => {
        const before = await statements();
        await subject.transaction(transactions, async (tx) => {
          await tx.run(insert(++id));
          if (collect) tx.invalidate(key('row', id), tag('rows'));
        });
        return (await statements()) - before;
      };
      await count(true); // What a connection asks at its first use is not counted.
      const [without, collected] = [await count(false), await count(true)];
      assert.ok(collected - without <= 1, `${JSON.stringify(options)}: ${collected} statements instead of ${without}`);
    }
  },
};

async function messagesOf({ ask }: DataLayerSubject): Promise<readonly Draft[]> {
  const changes = await ask(
    `SELECT encode(data, 'hex') AS data FROM pg_logical_slot_get_binary_changes('contract', NULL, NULL,
      'proto_version', '1', 'publication_names', 'contract', 'messages', 'true')`,
  );
  return changes
    .map(({ data }) => Buffer.from(String(data), 'hex'))
    .filter((data) => data[0] === 'M'.charCodeAt(0))
    .map((data) => {
      // Behind the kind, flags and position: the prefix up to its zero, the length, the content.
      const end = data.indexOf(0, 10);
      assert.equal(data.toString('latin1', 10, end), 'tidemark');
      return decodeRecord(data.subarray(end + 5)).record;
    });
}
