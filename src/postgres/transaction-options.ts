import { checkDetails } from '../coherence/cause.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Cause } from '../coherence/record.ts';
import { type Carrier, identifier } from './carrier.ts';
import type { Isolation } from './data-layer.ts';
import type { Invalidator } from './invalidator.ts';

export interface TransactionsOptions {
  /** Default `'outbox'`. */
  readonly carrier?: Carrier;
  /** The schema of the outbox. Default `'tidemark'`. */
  readonly schema?: string;
  /**
   * Whether the relay is woken by `NOTIFY` (default), or finds rows when it looks. Postgres lets one transaction at a time commit
   * while it notifies, which shows in databases with many concurrent commits.
   */
  readonly notify?: boolean;
  /**
   * Whether loaders read replicas: each commit is followed by one more statement, which asks how far a replica must be. Default
   * `false`.
   */
  readonly replicas?: boolean;
  /** Whether reads of the cache inside a transaction go to their loaders. Default `true`. */
  readonly bypass?: boolean;
}

/** Options of one transaction. */
export interface TransactionOptions {
  readonly isolation?: Isolation;
  /**
   * How often the whole function is run again after a serialization failure or a deadlock. Default 0, because it may do more than
   * its statements.
   */
  readonly retries?: number;
  /**
   * Withholds what the targets cover on every node, before the commit, until its record is there: nobody anywhere sees the old
   * value once this has returned. Costs a round trip through the log to all nodes. Default `false`.
   */
  readonly strict?:
    | boolean
    | { /** How long to wait for all nodes before rolling back. Default `'5s'`. */ readonly timeout?: Duration };
  /** What happened; for the log line and the other services. */
  readonly cause?: Cause;
}

const CARRIERS: Readonly<Record<Carrier, true>> = { outbox: true, wal: true, none: true };
const ISOLATIONS: Readonly<Record<Isolation, true>> = {
  'read committed': true,
  'repeatable read': true,
  serializable: true,
};

/** Fills in the defaults. Throws TidemarkError `INVALID_OPTION`. */
export function transactionsOptions(cache: Invalidator, options: TransactionsOptions): Required<TransactionsOptions> {
  checkKnown(options, ['carrier', 'schema', 'notify', 'replicas', 'bypass'], 'createTransactions()');
  if (typeof cache?.invalidate !== 'function')
    throw new TidemarkError(
      'INVALID_OPTION',
      `createTransactions: ${shorten(cache)} is no cache. Give createCache(...).`,
    );
  const { carrier = 'outbox', schema = 'tidemark', notify = true, replicas = false, bypass = true } = options;
  if (!Object.hasOwn(CARRIERS, carrier))
    throw new TidemarkError('INVALID_OPTION', `carrier: ${shorten(carrier)} is none of 'outbox', 'wal' and 'none'.`);
  for (const [name, value] of Object.entries({ notify, replicas, bypass })) {
    if (typeof value !== 'boolean')
      throw new TidemarkError('INVALID_OPTION', `${name}: ${shorten(value)} is neither true nor false.`);
  }
  identifier(schema);
  return { carrier, schema, notify, replicas, bypass };
}

/** Checks the options of a transaction before it begins. Throws TidemarkError `INVALID_OPTION`. */
export function checkTransactionOptions(options: TransactionOptions, cache: Invalidator): void {
  checkKnown(options, ['cause', 'isolation', 'retries', 'strict'], 'transaction()');
  const { cause, isolation, retries = 0, strict } = options;
  if (isolation !== undefined && !Object.hasOwn(ISOLATIONS, isolation))
    throw new TidemarkError(
      'INVALID_OPTION',
      `isolation: ${shorten(isolation)} is no level. Give 'read committed', 'repeatable read' or 'serializable'.`,
    );
  if (!Number.isSafeInteger(retries) || retries < 0)
    throw new TidemarkError('INVALID_OPTION', `retries: ${shorten(retries)} is not a whole number from 0 on.`);
  // It would be refused after the commit.
  checkDetails({ cause });
  checkStrict(strict, cache);
}

function checkStrict(strict: TransactionOptions['strict'], cache: Invalidator): void {
  if (strict === undefined || strict === false) return;
  if (strict !== true && (typeof strict !== 'object' || strict === null))
    throw new TidemarkError(
      'INVALID_OPTION',
      `strict: ${shorten(strict)} is neither true nor false. Give { timeout: '5s' } to say how long to wait.`,
    );
  if (typeof strict === 'object') {
    checkKnown(strict, ['timeout'], 'strict');
    if (strict.timeout !== undefined) milliseconds(strict.timeout, 'strict.timeout');
  }
  if (cache.announce === undefined)
    throw new TidemarkError(
      'INVALID_OPTION',
      'strict: this cache cannot announce. Give one made by createCache({ strict: true }).',
    );
}
