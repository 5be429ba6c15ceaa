import assert from 'node:assert/strict';
import { key, TidemarkError } from '../index.ts';
import { type Announced, type Invalidator, Transactions } from '../postgres/transaction.ts';
import { assertNothing, type DataLayerScene, insert, outbox, rows, type Witness } from './data-layer-subject.ts';
import type { ContractCase } from './runner.ts';

/** Strict writes, over a cache whose nodes confirm at once, or not at all. */
export const dataLayerStrictCases: Readonly<Record<string, ContractCase<DataLayerScene>>> = {
  'strict: announces before COMMIT, by an id that names the transaction, and closes after it': async ({
    subject,
    witness,
  }) => {
    for (const carrier of ['outbox', 'none'] as const) {
      const cache = new Announcing(witness);
      const { value, receipt } = await subject.transaction(
        new Transactions(cache, { carrier }),
        async (tx) => {
          await tx.run(insert(carrier === 'none' ? 1 : 2));
          tx.invalidate(key('row', 1));
          return tx.run('SELECT pg_current_xact_id()::text AS xid');
        },
        { strict: { timeout: '1s' } },
      );
      assert.deepEqual(cache.told, ['announce 1s', 'committed']);
      assert.equal(BigInt(`0x${cache.id.slice(0, 16)}`), BigInt(String(value[0]?.['xid'])));
      assert.equal(receipt?.status, 'applied');
      assert.equal(witness.heard.at(-1)?.seen.length, (await rows(subject)).length);
    }
    const [kept] = await outbox(subject);
    assert.equal(kept?.id, witness.heard[0]?.id);
  },

  'strict: not confirmed, it is rolled back': async ({ subject, witness }) => {
    const cache = new Announcing(witness);
    cache.refusal = new TidemarkError('NOT_CONFIRMED', 'One node has not confirmed.');
    const ended = subject.transaction(
      new Transactions(cache),
      async (tx) => {
        await tx.run(insert(1));
        tx.invalidate(key('row', 1));
      },
      { strict: true },
    );
    await assert.rejects(ended, { code: 'NOT_CONFIRMED' });
    assert.deepEqual(cache.told, ['announce undefined']);
    await assertNothing(subject, witness);
  },

  'strict: rolled back at the COMMIT, it is closed': async ({ subject, witness }) => {
    const cache = new Announcing(witness);
    const ended = subject.transaction(
      new Transactions(cache),
      async (tx) => {
        await tx.run('INSERT INTO contract_rows VALUES (1, 0, 5), (2, 0, 5)');
        tx.invalidate(key('row', 1));
      },
      { strict: true },
    );
    await assert.rejects(ended);
    assert.deepEqual(cache.told, ['announce undefined', 'rolledBack']);
    await assertNothing(subject, witness);
  },

  'strict: lost in the COMMIT, it is left to the relay': async ({ subject, witness }) => {
    const cache = new Announcing(witness);
    const ended = subject.transaction(
      new Transactions(cache),
      async (tx) => {
        await tx.run('INSERT INTO contract_fatal VALUES (1)');
        tx.invalidate(key('row', 1));
      },
      { strict: true },
    );
    await assert.rejects(ended);
    assert.deepEqual(cache.told, ['announce undefined', 'unknown']);
    assert.deepEqual(witness.heard, []);
  },
};

/** A cache that writes strictly, as far as transactions see it. */
class Announcing implements Invalidator {
  readonly told: string[] = [];
  id = '';
  /** What an announcement is answered by, instead of being confirmed. */
  refusal: Error | undefined;
  readonly #witness: Witness;

  constructor(witness: Witness) {
    this.#witness = witness;
  }

  invalidate(...args: Parameters<Invalidator['invalidate']>): ReturnType<Invalidator['invalidate']> {
    this.told.push('invalidate');
    return this.#witness.invalidate(...args);
  }

  async announce(...[targets, { id, timeout }]: Parameters<Required<Invalidator>['announce']>): Promise<Announced> {
    this.told.push(`announce ${timeout}`);
    this.id = id ?? '';
    if (this.refusal !== undefined) throw this.refusal;
    return {
      committed: (options) => {
        this.told.push('committed');
        return this.#witness.invalidate(targets, options);
      },
      rolledBack: async () => {
        this.told.push('rolledBack');
        return { status: 'applied', token: this.#witness.mark() };
      },
      unknown: () => void this.told.push('unknown'),
    };
  }
}
