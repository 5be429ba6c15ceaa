import { randomBytes } from 'node:crypto';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Token } from '../coherence/position.ts';
import type { Receipt } from '../coherence/receipt.ts';
import { type Cause, coverageOf, type Draft, type Lsn } from '../coherence/record.ts';
import { describeTarget, type Target } from '../coherence/target.ts';
import { announcementId, databaseMark } from './announcement-id.ts';
import { type Carrier, type CarrierOptions, carryStatement, identifier, type Statement } from './carrier.ts';
import { type Changes, Collected } from './changes.ts';
import { parseLsn } from './lsn.ts';

export type { Changes } from './changes.ts';

/** A row of an answer, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** The isolation levels of Postgres. */
export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

/**
 * What a data layer does for transactions: the port of `tidemark/postgres`. `N` is what the layer gives to the code inside a
 * transaction: its `tx`, `trx` or manager.
 *
 * It does not promise that a `begin` that rejects was rolled back: a connection may be lost while it commits.
 */
export interface DataLayer<N> {
  /** Runs `work` in a transaction: commits when it resolves, rolls back when it rejects, and then rejects with the same error. */
  begin<T>(work: (native: N) => Promise<T>, settings: { readonly isolation: Isolation | undefined }): Promise<T>;
  /** Runs a statement inside that transaction. Its parameters are text, numbered from `$1`. */
  query(native: N, statement: Statement): Promise<readonly Row[]>;
  /** Runs a statement on the same server, outside any transaction. */
  outside(statement: Statement): Promise<readonly Row[]>;
  /**
   * The SQLSTATE of an error of this layer, where it has one: an error that has none may hide a commit. Default: the `code` of
   * the error or of what caused it.
   */
  sqlState?(error: unknown): string | undefined;
}

/** The part of a cache that transactions need. */
export interface Invalidator {
  invalidate(
    targets: readonly Target[],
    options: { readonly id?: string; readonly cause?: Cause; readonly lsn?: Lsn; readonly lsnMark?: Token },
  ): Promise<Receipt>;
  /** Before a bound of the database's log is read. */
  mark?(): Token;
  /** Inside the transaction: its snapshot is older, and it sees rows that nobody else may see. */
  bypass?<T>(fn: () => T): T;
  /** For strict writes. */
  announce?(
    targets: readonly Target[],
    options: { readonly id?: string; readonly timeout?: Duration; readonly cause?: Cause },
  ): Promise<Announced>;
}

/** A strict write that every node has confirmed, see `Cache.announce`. */
export interface Announced {
  committed(options: {
    readonly id?: string;
    readonly cause?: Cause;
    readonly lsn?: Lsn;
    readonly lsnMark?: Token;
  }): Promise<Receipt>;
  rolledBack(): Promise<Receipt>;
  unknown(): void;
}

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

/** What a transaction came to. */
export interface Committed<T> {
  readonly value: T;
  /** Of the record; `undefined` where nothing was collected. */
  readonly receipt: Receipt | undefined;
}

/** One attempt at a transaction, as far as it has come. */
interface Attempt {
  readonly id: string;
  targets: readonly Target[];
  announced: Announced | undefined;
  /** Whether the layer has been told to commit. */
  ready: boolean;
}

/**
 * Transactions whose targets are invalidated after the commit, and only then: collected while the transaction runs, written
 * down in it, and appended to the log right after it. The idea of the written copy is the transactional outbox.
 *
 * @see createTransactions
 */
export class Transactions {
  readonly #cache: Invalidator;
  readonly #carrier: CarrierOptions;
  readonly #replicas: boolean;
  readonly #bypass: boolean;
  readonly #origin = `transaction#${hexadecimal(4)}`;

  /** Use {@link createTransactions}. */
  constructor(cache: Invalidator, options: TransactionsOptions = {}) {
    checkKnown(options, ['carrier', 'schema', 'notify', 'replicas', 'bypass'], 'createTransactions()');
    if (typeof cache?.invalidate !== 'function')
      throw new TidemarkError(
        'INVALID_OPTION',
        `createTransactions: ${shorten(cache)} is no cache. Give createCache(...).`,
      );
    const { carrier = 'outbox', schema = 'tidemark', notify = true, replicas = false, bypass = true } = options;
    if (!['outbox', 'wal', 'none'].includes(carrier))
      throw new TidemarkError('INVALID_OPTION', `carrier: ${shorten(carrier)} is none of 'outbox', 'wal' and 'none'.`);
    identifier(schema);
    this.#cache = cache;
    this.#carrier = { carrier, schema, notify };
    this.#replicas = replicas;
    this.#bypass = bypass && cache.bypass !== undefined;
  }

  /**
   * Runs `body` in a transaction of a data layer. When it returns, the transaction has committed and this process's cache serves
   * nothing older, whatever has become of the log.
   *
   * @param body what the transaction does; rejects to roll back
   * @throws what `body` throws, what the layer throws; TidemarkError `NOT_CONFIRMED` where a strict transaction was rolled back
   * because not every node had confirmed in time; `INVALID_OPTION`
   */
  async run<N, T>(
    layer: DataLayer<N>,
    body: (native: N, changes: Changes) => T | Promise<T>,
    options: TransactionOptions = {},
  ): Promise<Committed<T>> {
    const retries = this.#checked(options);
    for (let failures = 0; ; failures++) {
      const attempt: Attempt = { id: hexadecimal(16), targets: [], announced: undefined, ready: false };
      let value: T;
      try {
        value = await layer.begin((native) => this.#work(layer, native, body, attempt, options), {
          isolation: options.isolation,
        });
      } catch (error) {
        const state = sqlStateOf(layer, error);
        await this.#failed(attempt, error, state, options);
        if ((state === '40001' || state === '40P01') && failures < retries) continue;
        throw error;
      }
      return { value, receipt: await this.#committed(layer, attempt, options) };
    }
  }

  async #work<N, T>(
    layer: DataLayer<N>,
    native: N,
    body: (native: N, changes: Changes) => T | Promise<T>,
    attempt: Attempt,
    options: TransactionOptions,
  ): Promise<T> {
    const changes = new Collected();
    const call = (): T | Promise<T> => body(native, changes);
    let value: T;
    try {
      value = await (this.#bypass ? (this.#cache as Required<Invalidator>).bypass(call) : call());
    } finally {
      attempt.targets = changes.close();
    }
    if (attempt.targets.length > 0) {
      const strict = options.strict !== undefined && options.strict !== false;
      const statement = carryStatement(this.#draft(attempt, options.cause), strict, this.#carrier);
      const rows = statement === undefined ? [] : await layer.query(native, statement);
      if (strict) attempt.announced = await this.#announce(attempt, rows[0], options);
    }
    attempt.ready = true;
    return value;
  }

  #announce({ targets }: Attempt, row: Row | undefined, { strict, cause }: TransactionOptions): Promise<Announced> {
    const transaction = { xid: BigInt(String(row?.['xid'])), database: databaseMark(String(row?.['identity'])) };
    const timeout = typeof strict === 'object' ? strict.timeout : undefined;
    return (this.#cache as Required<Invalidator>).announce(targets, {
      id: announcementId(transaction, hexadecimal(4)),
      ...(timeout === undefined ? {} : { timeout }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  async #committed<N>(
    layer: DataLayer<N>,
    { id, targets, announced }: Attempt,
    { cause }: TransactionOptions,
  ): Promise<Receipt | undefined> {
    if (targets.length === 0) return undefined;
    const about = { id, ...(await this.#bound(layer)), ...(cause === undefined ? {} : { cause }) };
    return announced === undefined ? this.#cache.invalidate(targets, about) : announced.committed(about);
  }

  /**
   * A transaction whose layer has failed. Where it was told to commit and nobody has said that it was rolled back, it may have
   * committed: 1. COMMIT is carried out. 2. Its answer is lost with the connection. Then the targets count: an invalidation too
   * many is a load too many. Its COMMIT may also be carried out only after this, so the record has an id of its own: whoever sees
   * that of the written copy in the log may take it that the commit was visible before.
   */
  async #failed(
    attempt: Attempt,
    error: unknown,
    state: string | undefined,
    { cause }: TransactionOptions,
  ): Promise<void> {
    const { targets, announced, ready } = attempt;
    const certain = !ready || isRolledBack(error, state);
    if (certain) await announced?.rolledBack();
    else if (announced !== undefined) announced.unknown();
    else if (targets.length > 0)
      await this.#cache.invalidate(targets, {
        ...(this.#replicas ? { lsn: 'unknown' } : {}),
        ...(cause === undefined ? {} : { cause }),
      });
  }

  /** How far a replica must be to have the commit: read after it, and after what this node had applied by then. */
  async #bound<N>(layer: DataLayer<N>): Promise<{ lsn?: Lsn; lsnMark?: Token }> {
    if (!this.#replicas) return {};
    const lsnMark = this.#cache.mark?.();
    try {
      const [row] = await layer.outside({ text: 'SELECT pg_current_wal_insert_lsn()::text AS lsn', values: [] });
      return { lsn: parseLsn(row?.['lsn']), ...(lsnMark === undefined ? {} : { lsnMark }) };
    } catch {
      // The commit stands. Replicas are not read until a later bound is known.
      return { lsn: 'unknown' };
    }
  }

  #draft({ id, targets }: Attempt, cause: Cause | undefined): Draft {
    return {
      ...coverageOf(targets),
      id,
      origin: this.#origin,
      // Whoever appends it from here reads the bound then.
      lsn: 'unknown',
      time: Date.now(),
      targets: targets.map(describeTarget),
      cause,
    };
  }

  /** Before anything has happened. Returns the number of retries. */
  #checked({ isolation, retries = 0, strict = false, ...rest }: TransactionOptions): number {
    checkKnown(rest, ['cause', 'isolation', 'retries', 'strict'], 'transaction()');
    if (isolation !== undefined && !['read committed', 'repeatable read', 'serializable'].includes(isolation))
      throw new TidemarkError(
        'INVALID_OPTION',
        `isolation: ${shorten(isolation)} is no level. Give 'read committed', 'repeatable read' or 'serializable'.`,
      );
    if (!Number.isSafeInteger(retries) || retries < 0)
      throw new TidemarkError('INVALID_OPTION', `retries: ${shorten(retries)} is not a whole number from 0 on.`);
    if (typeof strict === 'object' && strict.timeout !== undefined) milliseconds(strict.timeout, 'strict.timeout');
    if (strict !== false && this.#cache.announce === undefined)
      throw new TidemarkError(
        'INVALID_OPTION',
        'strict: this cache cannot announce. Give one made by createCache({ strict: true }).',
      );
    return retries;
  }
}

/**
 * Whether an error proves that a transaction was rolled back. Losing the connection (class 08, 57P0x) does not, nor does an error
 * within the server (XX): it may come after the commit, as when a wait for a synchronous replica is ended.
 */
function isRolledBack(error: unknown, state: string | undefined): boolean {
  if (error instanceof TidemarkError && error.code === 'NOT_COMMITTED') return true;
  return state !== undefined && !/^(08|57P0|58|XX)/.test(state);
}

function sqlStateOf<N>(layer: DataLayer<N>, error: unknown): string | undefined {
  return layer.sqlState === undefined ? sqlState(error) : layer.sqlState(error);
}

/** The SQLSTATE of an error or of what caused it; system errors such as `EPIPE` have no digit in their codes. */
export function sqlState(error: unknown): string | undefined {
  for (let it = error, depth = 0; typeof it === 'object' && it !== null && depth < 5; depth++) {
    const { code, cause } = it as { code?: unknown; cause?: unknown };
    if (typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)) return code;
    it = cause;
  }
  return undefined;
}

function hexadecimal(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
