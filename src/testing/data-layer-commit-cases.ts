import assert from 'node:assert/strict';
import { key, tag } from '../index.ts';
import { Transactions } from '../postgres/transaction.ts';
import { type DataLayerScene, insert, outbox, rows } from './data-layer-subject.ts';
import { Gate } from './gate.ts';
import type { ContractCase } from './runner.ts';

/** Transactions that end well. */
export const dataLayerCommitCases: Readonly<Record<string, ContractCase<DataLayerScene>>> = {
  'commit: invalidates once, when others can see the rows': async ({ subject, witness }) => {
    await subject.transaction(new Transactions(witness), async (tx) => {
      await tx.run(insert(1));
      tx.invalidate(key('user', 1), tag('users'));
      assert.deepEqual(witness.heard, [], 'invalidated before the commit');
    });
    assert.deepEqual(witness.targets, [['key user:1', 'tag users']]);
    assert.deepEqual(witness.heard[0]?.seen, [{ id: 1, value: 0 }]);
  },

  'commit: answers what the work returns, and a receipt whose token reads the write': async ({ subject, witness }) => {
    const read = (): Promise<unknown> => witness.cache.getOrSet(['rows'], async () => (await rows(subject)).length);
    assert.equal(await read(), 0);
    const { value, receipt } = await subject.transaction(new Transactions(witness), async (tx) => {
      await tx.run(insert(1));
      tx.invalidate(key('rows'));
      return 'done';
    });
    assert.equal(value, 'done');
    assert.ok(receipt !== undefined, 'no receipt');
    assert.equal(receipt.status, 'applied');
    assert.equal(await witness.cache.getOrSet(['rows'], () => 'again', { atLeast: receipt }), 'again');
  },

  'commit: with nothing collected it says nothing': async ({ subject, witness }) => {
    const { receipt } = await subject.transaction(new Transactions(witness), async (tx) => {
      await tx.run(insert(1));
    });
    assert.equal(receipt, undefined);
    assert.deepEqual(witness.heard, []);
    assert.deepEqual(await outbox(subject), []);
    assert.equal((await rows(subject)).length, 1);
  },

  'commit: reads of the cache inside go to their loaders, and keep nothing': async ({ subject, witness }) => {
    let loads = 0;
    const read = (): Promise<number> => witness.cache.getOrSet(['n'], () => ++loads);
    assert.deepEqual([await read(), await read()], [1, 1]);
    await subject.transaction(new Transactions(witness), async (tx) => {
      await tx.run(insert(1));
      assert.deepEqual([await read(), await read()], [2, 3]);
    });
    assert.equal(await read(), 1);
    await subject.transaction(new Transactions(witness, { bypass: false }), async () => {
      assert.equal(await read(), 1);
    });
  },

  'commit: two transactions at once keep their targets apart': async ({ subject, witness }) => {
    const transactions = new Transactions(witness);
    const both = new Gate();
    const one = (id: number, meet: () => void): Promise<unknown> =>
      subject.transaction(transactions, async (tx) => {
        await tx.run(insert(id));
        tx.invalidate(key('row', id));
        meet();
        await both.promise;
        tx.invalidate(tag(`row:${id}`));
      });
    let inside = 0;
    const meet = (): void => {
      if (++inside === 2) both.open();
    };
    await Promise.all([one(1, meet), one(2, meet)]);
    assert.deepEqual(witness.targets.map((it) => it.join()).toSorted(), ['key row:1,tag row:1', 'key row:2,tag row:2']);
  },

  'commit: runs at the isolation level that was asked for': async ({ subject, witness }) => {
    for (const isolation of ['read committed', 'repeatable read', 'serializable'] as const) {
      const { value } = await subject.transaction(
        new Transactions(witness),
        (tx) => tx.run('SELECT current_setting($$transaction_isolation$$) AS level'),
        { isolation },
      );
      assert.deepEqual(value, [{ level: isolation }]);
    }
  },

  'commit: for readers of replicas the record has a bound that was read after it': async ({ subject, witness }) => {
    const position = "SELECT (pg_current_wal_insert_lsn() - '0/0')::text AS position";
    const { value } = await subject.transaction(new Transactions(witness, { replicas: true }), async (tx) => {
      await tx.run(insert(1));
      tx.invalidate(key('row', 1));
      return tx.run(position);
    });
    const lsn = witness.heard[0]?.lsn;
    assert.ok(typeof lsn === 'bigint', 'no bound');
    assert.ok(lsn > BigInt(String(value[0]?.['position'])), 'the bound is older than the commit');
    assert.ok(lsn <= BigInt(String((await subject.ask(position))[0]?.['position'])), 'the bound is in the future');
    assert.notEqual(witness.heard[0]?.lsnMark, undefined);
  },
};
