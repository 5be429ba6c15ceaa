import assert from 'node:assert/strict';
import type { Token } from '../coherence/position.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Draft } from '../coherence/record.ts';
import { describeTarget, type Target } from '../coherence/target.ts';
import { decodeRecord } from '../coherence/wire.ts';
import { type Cache, createCache } from '../index.ts';
import type { Committed, Invalidator, Row, TransactionOptions, Transactions } from '../postgres/transaction.ts';

/** A transaction of the layer, as the cases use it. */
export interface DataLayerTransaction {
  /** Runs SQL in it. Rejects with the layer's own error. */
  run(sql: string): Promise<readonly Row[]>;
  invalidate(...targets: readonly Target[]): void;
  /** Runs `work` in a savepoint, by the layer's own way; rolled back to if it rejects, and then rejects likewise. */
  nested<T>(work: (tx: DataLayerTransaction) => Promise<T>): Promise<T>;
}

/** A data layer over a Postgres whose database has the outbox, and nothing that another case has left. */
export interface DataLayerSubject {
  /** Runs a transaction by the layer's own way. */
  transaction<T>(
    transactions: Transactions,
    work: (tx: DataLayerTransaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<Committed<T>>;
  /** Runs one statement as a superuser, on a connection of its own, in no transaction. */
  readonly ask: (sql: string) => Promise<readonly Row[]>;
  /** Lets the answer to the next COMMIT be lost, with its connection. */
  readonly loseCommit?: () => void;
  /** How many statements the server has executed, those of `ask` included. */
  readonly statements?: () => Promise<number>;
}

/** What a case of the contract is run with. */
export interface DataLayerScene {
  readonly subject: DataLayerSubject;
  /** Whose transactions they are, made with what options the case needs. */
  readonly witness: Witness;
}

/** What reached the cache, once. */
export interface Heard {
  readonly targets: readonly string[];
  readonly id: string | undefined;
  readonly lsn: bigint | 'unknown' | undefined;
  readonly lsnMark: Token | undefined;
  /** The rows that anybody could see at this moment. */
  readonly seen: readonly Row[];
}

/** What looks into the database from outside. */
export type Asked = Pick<DataLayerSubject, 'ask'>;

/** A cache in memory that notes what it hears, and what the database shows to others at this moment. */
export class Witness implements Invalidator {
  readonly heard: Heard[] = [];
  readonly cache: Cache = createCache({ name: 'contract' });
  readonly #subject: Asked;

  constructor(subject: Asked) {
    this.#subject = subject;
  }

  /** The targets of each invalidation, in order. */
  get targets(): readonly (readonly string[])[] {
    return this.heard.map(({ targets }) => targets);
  }

  async invalidate(...[targets, options]: Parameters<Invalidator['invalidate']>): Promise<Receipt> {
    const { id, lsn, lsnMark } = options;
    const seen = await rows(this.#subject);
    this.heard.push({ targets: targets.map(describeTarget), id, lsn, lsnMark, seen });
    return this.cache.invalidate(targets, options);
  }

  mark(): Token {
    return this.cache.mark();
  }

  bypass<T>(fn: () => T): T {
    return this.cache.bypass(fn);
  }
}

/** Makes the tables of the cases. `checked` is checked at the COMMIT; inserting into `fatal` ends the connection there. */
export async function prepareDatabase({ ask }: Asked): Promise<void> {
  await ask('DROP TABLE IF EXISTS contract_rows, contract_fatal CASCADE');
  await ask(
    'CREATE TABLE contract_rows (id int PRIMARY KEY, value int NOT NULL, checked int UNIQUE DEFERRABLE INITIALLY DEFERRED)',
  );
  await ask('CREATE TABLE contract_fatal (id int)');
  await ask(`CREATE OR REPLACE FUNCTION contract_end() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`);
  await ask(`CREATE CONSTRAINT TRIGGER ending AFTER INSERT ON contract_fatal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION contract_end()`);
  await ask('DELETE FROM tidemark.outbox');
}

export function insert(id: number, value = 0): string {
  return `INSERT INTO contract_rows (id, value) VALUES (${id}, ${value})`;
}

/** The rows that anybody can see. */
export function rows({ ask }: Asked): Promise<readonly Row[]> {
  return ask('SELECT id, value FROM contract_rows ORDER BY id');
}

/** The drafts in the outbox, in the order of their ids. */
export async function outbox({ ask }: Asked): Promise<readonly Draft[]> {
  const kept = await ask("SELECT encode(message, 'hex') AS message FROM tidemark.outbox ORDER BY id");
  return kept.map(({ message }) => decodeRecord(Buffer.from(String(message), 'hex')).record);
}

/** Asserts that a transaction has left no trace: neither rows nor anything that says that there were some. */
export async function assertNothing(subject: Asked, witness: Witness): Promise<void> {
  assert.deepEqual(witness.heard, [], 'something was invalidated');
  assert.deepEqual(await rows(subject), [], 'the transaction was not rolled back');
  assert.deepEqual(await outbox(subject), [], 'something was written down');
}
