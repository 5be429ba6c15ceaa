import { dataLayerCarrierCases } from './data-layer-carrier-cases.ts';
import { dataLayerCommitCases } from './data-layer-commit-cases.ts';
import { dataLayerLossCases } from './data-layer-loss-cases.ts';
import { dataLayerRollbackCases } from './data-layer-rollback-cases.ts';
import { dataLayerSavepointCases } from './data-layer-savepoint-cases.ts';
import { dataLayerStrictCases } from './data-layer-strict-cases.ts';
import { type DataLayerScene, type DataLayerSubject, prepareDatabase, Witness } from './data-layer-subject.ts';
import { type ContractCase, type ContractOptions, type Runner, runContract } from './runner.ts';

/**
 * What transactions over every `DataLayer` do, on a real Postgres: nothing is invalidated that was not committed, and everything
 * that was, also where a connection is lost in between. A case that a database cannot take part in is left out by `skip`, with
 * its reason.
 *
 * @example
 * dataLayerContract({ describe, it, beforeEach, afterEach }, {
 *   name: 'my layer',
 *   open: () => ({ transaction, ask }),
 *   skip: { 'losing the answer to COMMIT: invalidates, since it may have committed': 'no gateway here' },
 * });
 */
export function dataLayerContract<S extends DataLayerSubject>(runner: Runner, options: ContractOptions<S>): void {
  const cases = {
    ...dataLayerCommitCases,
    ...dataLayerRollbackCases,
    ...dataLayerSavepointCases,
    ...dataLayerLossCases,
    ...dataLayerCarrierCases,
    ...dataLayerStrictCases,
  };
  runContract<S>(runner, options, Object.fromEntries(Object.entries(cases).map(([name, run]) => [name, inScene(run)])));
}

function inScene(run: ContractCase<DataLayerScene>): ContractCase<DataLayerSubject> {
  return async (subject) => {
    await prepareDatabase(subject);
    const witness = new Witness(subject);
    try {
      await witness.cache.ready();
      await run({ subject, witness });
    } finally {
      await witness.cache.close();
    }
  };
}
