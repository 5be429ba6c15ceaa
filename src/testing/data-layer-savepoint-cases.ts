import assert from 'node:assert/strict';
import { key, tag } from '../index.ts';
import { Transactions } from '../postgres/transaction.ts';
import {
  assertNothing,
  type DataLayerScene,
  type DataLayerTransaction,
  insert,
  outbox,
  rows,
} from './data-layer-subject.ts';
import type { ContractCase } from './runner.ts';

/** Transactions within transactions. */
export const dataLayerSavepointCases: Readonly<Record<string, ContractCase<DataLayerScene>>> = {
  'savepoint: what it collects counts with the rest': async (scene) => {
    await ended(scene, async (tx) => {
      await row(tx, 1);
      assert.equal(await tx.nested(async (inner) => row(inner, 2)), 2);
      await row(tx, 3);
    });
    await assertRows(scene, [1, 2, 3]);
  },

  'savepoint: rolled back it takes only its own with it, and the transaction goes on': async (scene) => {
    const refusal = new Error('no');
    await ended(scene, async (tx) => {
      await row(tx, 1);
      const nested = tx.nested(async (inner) => {
        await row(inner, 2);
        throw refusal;
      });
      await assert.rejects(nested, (error) => error === refusal);
      await row(tx, 3);
      await tx.nested(async (inner) => row(inner, 4));
    });
    await assertRows(scene, [1, 3, 4]);
  },

  'savepoint: rolled back by a statement that fails': async (scene) => {
    await ended(scene, async (tx) => {
      await row(tx, 1);
      const nested = tx.nested(async (inner) => {
        await row(inner, 2);
        await inner.run('SELECT 1 / 0');
      });
      await assert.rejects(nested);
      await row(tx, 3);
    });
    await assertRows(scene, [1, 3]);
  },

  'savepoint: one within another, the inner rolled back': async (scene) => {
    await ended(scene, async (tx) => {
      await tx.nested(async (outer) => {
        await row(outer, 1);
        await assert.rejects(outer.nested((inner) => rowAndError(inner, 2)));
        await row(outer, 3);
      });
    });
    await assertRows(scene, [1, 3]);
  },

  'savepoint: one within another, the outer rolled back': async (scene) => {
    await ended(scene, async (tx) => {
      await row(tx, 1);
      const nested = tx.nested(async (outer) => {
        await outer.nested((inner) => row(inner, 2));
        await row(outer, 3);
        throw new Error('no');
      });
      await assert.rejects(nested);
    });
    await assertRows(scene, [1]);
  },

  'savepoint: kept, and the transaction rolled back': async (scene) => {
    const nothing = ended(scene, async (tx) => {
      await tx.nested((inner) => row(inner, 1));
      throw new Error('no');
    });
    await assert.rejects(nothing);
    await assertNothing(scene.subject, scene.witness);
  },
};

function ended({ subject, witness }: DataLayerScene, work: (tx: DataLayerTransaction) => Promise<void>) {
  return subject.transaction(new Transactions(witness), work);
}

async function row(tx: DataLayerTransaction, id: number): Promise<number> {
  tx.invalidate(key('row', id));
  await tx.run(insert(id));
  tx.invalidate(tag(`row:${id}`));
  return id;
}

async function rowAndError(tx: DataLayerTransaction, id: number): Promise<void> {
  await row(tx, id);
  throw new Error('no');
}

/** Asserts that just these rows are there, were invalidated when they were, and were written down. */
async function assertRows({ subject, witness }: DataLayerScene, ids: readonly number[]): Promise<void> {
  const targets = ids.flatMap((id) => [`key row:${id}`, `tag row:${id}`]);
  const expected = ids.map((id) => ({ id, value: 0 }));
  assert.deepEqual(await rows(subject), expected);
  assert.deepEqual(witness.targets, [targets]);
  assert.deepEqual(witness.heard[0]?.seen, expected);
  assert.deepEqual(
    (await outbox(subject)).map((draft) => draft.targets),
    [targets],
  );
}
