import { randomBytes } from 'node:crypto';
import { TidemarkError } from '../coherence/errors.ts';
import type { Token } from '../coherence/position.ts';
import type { Receipt } from '../coherence/receipt.ts';
import { type Cause, coverageOf, type Draft, type Lsn } from '../coherence/record.ts';
import { describeTarget, type Target } from '../coherence/target.ts';
import { announcementId, databaseMark } from './announcement-id.ts';
import { type CarrierOptions, carryStatement, type Statement } from './carrier.ts';
import { type Changes, Collected } from './changes.ts';
import type { DataLayer, Row } from './data-layer.ts';
import type { Announced, Invalidator } from './invalidator.ts';
import { parseLsn } from './lsn.ts';
import { IN_FAILED_TRANSACTION, isRolledBack, sqlState } from './sql-state.ts';
import type { TransactionOptions } from './transaction-options.ts';

/** Runs one statement. */
export type Ask = (statement: Statement) => Promise<readonly Row[]>;

/** What a layer says of itself. */
export type LayerTraits = Pick<DataLayer<never>, 'noticesRollback' | 'sqlState'>;

/** What all transactions of a cache have in common. */
export interface AttemptSettings {
  readonly cache: Invalidator;
  readonly carrier: CarrierOptions;
  readonly replicas: boolean;
  /** Names who makes the records. */
  readonly origin: string;
}

/**
 * One transaction of a database as far as the cache is concerned, whoever begins and ends it:
 *
 *     open --prepare()--> prepared --committed()--> ended
 *       \------failed()-------\-------failed()------/
 *
 * Until it is prepared, COMMIT has not been sent, and a failure is certainly a rollback.
 */
export class TransactionAttempt {
  /** Where what it makes stale is collected while it is open. */
  readonly changes: Changes;
  readonly #collected = new Collected();
  readonly #settings: AttemptSettings;
  readonly #options: TransactionOptions;
  /** Of the record, and of the written copy: by it the relay knows one by the other. */
  readonly #id: string = randomBytes(16).toString('hex');
  #state: 'open' | 'prepared' | 'ended' = 'open';
  #targets: readonly Target[] = [];
  #announced: Announced | undefined;

  constructor(settings: AttemptSettings, options: TransactionOptions) {
    this.#settings = settings;
    this.#options = options;
    this.changes = this.#collected;
  }

  /** Ends the collecting: who collects later is told. */
  close(): void {
    this.#targets = this.#collected.close();
  }

  /**
   * The last thing before COMMIT: writes down what was collected, and withholds it where the write is strict.
   *
   * @param inside runs a statement in the transaction
   * @param layer what is to be known of it. Where it does not notice that a statement has failed, that is asked, if nothing else is
   * @throws what the statement throws, whereupon the transaction has to be rolled back; TidemarkError `NOT_COMMITTED` where an
   * earlier one had failed, `NOT_CONFIRMED` as `Cache.announce`
   */
  async prepare(inside: Ask, layer: LayerTraits = {}): Promise<void> {
    this.close();
    this.#expectOpen();
    if (this.#targets.length > 0) await this.#carry(inside, layer);
    this.#state = 'prepared';
  }

  async #carry(inside: Ask, { noticesRollback = false, sqlState: stateOf = sqlState }: LayerTraits): Promise<void> {
    const { strict = false } = this.#options;
    const statement =
      carryStatement(this.#draft(), strict !== false, this.#settings.carrier) ?? (noticesRollback ? undefined : PROBE);
    const rows =
      statement === undefined
        ? []
        : await inside(statement).catch((error: unknown) => {
            // It is the first to hear that an earlier one has failed, and that nobody minded.
            throw stateOf(error) === IN_FAILED_TRANSACTION ? rolledBackAtCommit(error) : error;
          });
    this.#expectOpen();
    if (strict === false) return;
    const announced = await this.#announce(rows[0]);
    // 1. The announcement is on its way. 2. The connection is lost, and the layer says so without waiting for this.
    // 3. It is confirmed. Nobody else would close it.
    if (this.#ended()) await announced.rolledBack();
    this.#expectOpen();
    this.#announced = announced;
  }

  #ended(): boolean {
    return this.#state === 'ended';
  }

  #expectOpen(): void {
    if (this.#state !== 'open')
      throw new TidemarkError('CLOSED', 'The transaction has ended before its work has. Await all that it starts.');
  }

  #announce(row: Row | undefined): Promise<Announced> {
    const { strict, cause } = this.#options;
    const transaction = { xid: BigInt(String(row?.['xid'])), database: databaseMark(String(row?.['identity'])) };
    const timeout = typeof strict === 'object' ? strict.timeout : undefined;
    return (this.#settings.cache as Required<Invalidator>).announce(this.#targets, {
      id: announcementId(transaction, randomBytes(4).toString('hex')),
      ...(timeout === undefined ? {} : { timeout }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /**
   * The transaction has committed: invalidates what was collected.
   *
   * @param outside runs a statement in no transaction
   * @returns `undefined` where nothing was collected
   * @throws what the cache throws, such as TidemarkError `CLOSED`; the commit stands
   */
  async committed(outside: Ask): Promise<Receipt | undefined> {
    this.#state = 'ended';
    if (this.#targets.length === 0) return undefined;
    const { cause } = this.#options;
    const about = { id: this.#id, ...(await this.#bound(outside)), ...(cause === undefined ? {} : { cause }) };
    if (this.#announced !== undefined) return this.#announced.committed(about);
    return this.#settings.cache.invalidate(this.#targets, about);
  }

  /**
   * The transaction has failed. Where it was about to commit and nobody has said that it was rolled back, it may have
   * committed: 1. COMMIT is carried out. 2. Its answer is lost with the connection. Then the targets count: an invalidation too
   * many is a load too many. Its COMMIT may also be carried out only after this, so the record has an id of its own: whoever sees
   * that of the written copy in the log may take it that the commit was visible before.
   *
   * Nothing is done where it has ended already.
   *
   * @param error what the layer rejected with; it is what the caller has to hear of, so nothing is thrown
   * @param state its SQLSTATE
   */
  async failed(error: unknown, state: string | undefined = sqlState(error)): Promise<void> {
    if (this.#ended()) return;
    const wasPrepared = this.#state === 'prepared';
    this.#state = 'ended';
    this.close();
    const refused = error instanceof TidemarkError && error.code === 'NOT_COMMITTED';
    try {
      await this.#end(wasPrepared && !refused && !isRolledBack(state));
    } catch {
      // The caller hears of `error`, which came first.
    }
  }

  async #end(mayHaveCommitted: boolean): Promise<void> {
    const { replicas, cache } = this.#settings;
    const { cause } = this.#options;
    if (!mayHaveCommitted) await this.#announced?.rolledBack();
    else if (this.#announced !== undefined) this.#announced.unknown();
    else if (this.#targets.length > 0)
      await cache.invalidate(this.#targets, {
        ...(replicas ? { lsn: 'unknown' } : {}),
        ...(cause === undefined ? {} : { cause }),
      });
  }

  /** How far a replica must be to have the commit: read after it, and after what this node had applied by then. */
  async #bound(outside: Ask): Promise<{ lsn?: Lsn; lsnMark?: Token }> {
    const { replicas, cache } = this.#settings;
    if (!replicas) return {};
    const lsnMark = cache.mark?.();
    try {
      const [row] = await outside({ text: 'SELECT pg_current_wal_insert_lsn()::text AS lsn', values: [] });
      return { lsn: parseLsn(row?.['lsn']), ...(lsnMark === undefined ? {} : { lsnMark }) };
    } catch {
      // The commit stands. Replicas are not read until a later bound is known.
      return { lsn: 'unknown' };
    }
  }

  /** With the trace of whoever writes: should this process die, the relay's append is in it too. */
  #cause(): Cause | undefined {
    const { cause } = this.#options;
    const trace = cause?.trace ?? this.#settings.cache.parts?.traceparent();
    return trace === undefined ? cause : { ...cause, trace };
  }

  #draft(): Draft {
    return {
      ...coverageOf(this.#targets),
      id: this.#id,
      origin: this.#settings.origin,
      // Whoever appends it from here reads the bound then.
      lsn: 'unknown',
      time: Date.now(),
      targets: this.#targets.map(describeTarget),
      cause: this.#cause(),
    };
  }
}

const PROBE: Statement = { text: 'SELECT 1', values: [] };

/** What is said where Postgres rolls back a transaction in which a statement has failed. */
export function rolledBackAtCommit(cause?: unknown): TidemarkError {
  return new TidemarkError(
    'NOT_COMMITTED',
    'The transaction is rolled back, since one of its statements had failed. Let that error reach the end of the transaction, or run what may fail in a savepoint.',
    { cause },
  );
}
