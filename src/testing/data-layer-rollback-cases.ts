import assert from 'node:assert/strict';
import { key, tag, TidemarkError } from '../index.ts';
import { type Committed, type TransactionOptions, Transactions } from '../postgres/transaction.ts';
import { assertNothing, type DataLayerScene, type DataLayerTransaction, insert } from './data-layer-subject.ts';
import { Gate } from './gate.ts';
import type { ContractCase } from './runner.ts';

/** Transactions that do not commit, and those that are run again. */
export const dataLayerRollbackCases: Readonly<Record<string, ContractCase<DataLayerScene>>> = {
  'rollback: by an error of the work, which is what it rejects with': async ({ subject, witness }) => {
    const refusal = new Error('no');
    const ended = subject.transaction(new Transactions(witness), async (tx) => {
      await collect(tx);
      throw refusal;
    });
    await assert.rejects(ended, (error) => error === refusal);
    await assertNothing(subject, witness);
  },

  'rollback: by a statement that fails': async ({ subject, witness }) => {
    const ended = subject.transaction(new Transactions(witness), async (tx) => {
      await collect(tx);
      await tx.run('SELECT 1 / 0');
    });
    await assert.rejects(ended);
    await assertNothing(subject, witness);
  },

  'rollback: by a statement that fails, though nobody minds': async ({ subject, witness }) => {
    for (const carrier of ['outbox', 'none'] as const) {
      const ended = subject.transaction(new Transactions(witness, { carrier }), async (tx) => {
        await collect(tx);
        await tx.run('SELECT 1 / 0').catch(() => {});
      });
      await assert.rejects(ended, () => true, `with the carrier ${carrier} it says that it has committed`);
      await assertNothing(subject, witness);
    }
  },

  'rollback: by a constraint that is checked at the COMMIT': async ({ subject, witness }) => {
    const ended = subject.transaction(new Transactions(witness), async (tx) => {
      await tx.run('INSERT INTO contract_rows VALUES (1, 0, 5), (2, 0, 5)');
      tx.invalidate(key('row', 1));
    });
    await assert.rejects(ended);
    await assertNothing(subject, witness);
  },

  'rollback: the next transaction knows nothing of it': async ({ subject, witness }) => {
    const transactions = new Transactions(witness);
    await assert.rejects(
      subject.transaction(transactions, async (tx) => {
        await collect(tx);
        throw new Error('no');
      }),
    );
    await subject.transaction(transactions, async (tx) => {
      await tx.run(insert(2));
      tx.invalidate(key('row', 2));
    });
    assert.deepEqual(witness.targets, [['key row:2']]);
    assert.deepEqual(witness.heard[0]?.seen, [{ id: 2, value: 0 }]);
  },

  'retries: after a failure of serialization, with what the last attempt collected': async (scene) => {
    const attempts = await raise(scene, "'40001'", 2, { retries: 2 });
    assert.equal(attempts, 3);
    assert.deepEqual(scene.witness.targets, [['tag attempt:3']]);
    assert.deepEqual(scene.witness.heard[0]?.seen, [{ id: 3, value: 0 }]);
  },

  'retries: none without being told, and no more than told': async (scene) => {
    await assert.rejects(raise(scene, "'40001'", 9, {}));
    await assert.rejects(raise(scene, "'40P01'", 9, { retries: 2 }));
    await assertNothing(scene.subject, scene.witness);
  },

  'retries: not after another error': async (scene) => {
    await assert.rejects(raise(scene, "'23514'", 1, { retries: 5 }));
    await assertNothing(scene.subject, scene.witness);
  },

  'retries: a row that another has changed since the snapshot': async ({ subject, witness }) => {
    await subject.ask(insert(1));
    let attempts = 0;
    const changed = (options: TransactionOptions): Promise<Committed<void>> =>
      subject.transaction(
        new Transactions(witness),
        async (tx) => {
          tx.invalidate(tag(`attempt:${++attempts}`));
          await tx.run('SELECT * FROM contract_rows');
          if (attempts < 3) await subject.ask('UPDATE contract_rows SET value = value + 10');
          await tx.run('UPDATE contract_rows SET value = value + 1');
        },
        { isolation: 'repeatable read', ...options },
      );
    await assert.rejects(changed({}));
    assert.equal(witness.heard.length, 0);
    await changed({ retries: 1 });
    assert.deepEqual(witness.targets, [['tag attempt:3']]);
    assert.deepEqual(witness.heard[0]?.seen, [{ id: 1, value: 21 }]);
  },

  'retries: one of two that wait for each other': async ({ subject, witness }) => {
    await subject.ask(insert(1));
    await subject.ask(insert(2));
    const transactions = new Transactions(witness);
    const both = new Gate();
    let inside = 0;
    const cross = (own: number, other: number): Promise<unknown> => {
      let attempts = 0;
      return subject.transaction(
        transactions,
        async (tx) => {
          tx.invalidate(tag(`${own}:${++attempts}`));
          await tx.run('SET LOCAL deadlock_timeout = 20');
          await tx.run(`UPDATE contract_rows SET value = value + 1 WHERE id = ${own}`);
          if (++inside === 2) both.open();
          await both.promise;
          await tx.run(`UPDATE contract_rows SET value = value + 1 WHERE id = ${other}`);
        },
        { retries: 1 },
      );
    };
    await Promise.all([cross(1, 2), cross(2, 1)]);
    const heard = witness.targets.flat().toSorted().join();
    assert.ok(['tag 1:1,tag 2:2', 'tag 1:2,tag 2:1'].includes(heard), heard);
    assert.deepEqual(witness.heard[1]?.seen, [
      { id: 1, value: 2 },
      { id: 2, value: 2 },
    ]);
  },

  'options: what cannot be is refused before anything has happened': async ({ subject, witness }) => {
    for (const options of [{ isolation: 'chaos' }, { retries: -1 }, { strict: true }, { cause: { event: 5 } }]) {
      let began = false;
      const ended = subject.transaction(
        new Transactions({ invalidate: (...args) => witness.invalidate(...args) }),
        async () => {
          began = true;
        },
        options as TransactionOptions,
      );
      await assert.rejects(ended, { code: 'INVALID_OPTION' }, JSON.stringify(options));
      assert.equal(began, false, JSON.stringify(options));
    }
  },

  'invalidate: refuses what no target is, at once': async ({ subject, witness }) => {
    const ended = subject.transaction(new Transactions(witness), async (tx) => {
      tx.invalidate('user:1' as never);
    });
    await assert.rejects(ended, { code: 'INVALID_TARGET' });
  },

  'invalidate: refuses once the transaction has ended, since nobody would hear of it': async ({ subject, witness }) => {
    const transactions = new Transactions(witness);
    const closed = (error: unknown): boolean => error instanceof TidemarkError && error.code === 'CLOSED';
    const kept: DataLayerTransaction[] = [];
    await subject.transaction(transactions, async (tx) => void kept.push(tx));
    await assert.rejects(
      subject.transaction(transactions, async (tx) => {
        kept.push(tx);
        throw new Error('no');
      }),
    );
    assert.equal(kept.length, 2);
    for (const tx of kept) assert.throws(() => tx.invalidate(key('late')), closed);
    assert.deepEqual(witness.heard, []);
  },
};

async function collect(tx: DataLayerTransaction): Promise<void> {
  await tx.run(insert(1));
  tx.invalidate(key('row', 1), tag('rows'));
}

/** Fails so many times with a SQLSTATE. Returns how often the work was run. */
async function raise(
  { subject, witness }: DataLayerScene,
  state: string,
  times: number,
  options: TransactionOptions,
): Promise<number> {
  let attempts = 0;
  await subject.transaction(
    new Transactions(witness),
    async (tx) => {
      tx.invalidate(tag(`attempt:${++attempts}`));
      await tx.run(insert(attempts));
      if (attempts <= times) await tx.run(`DO $$ BEGIN RAISE 'again' USING ERRCODE = ${state}; END $$`);
    },
    options,
  );
  return attempts;
}
