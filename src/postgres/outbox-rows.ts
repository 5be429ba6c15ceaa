import { shorten, TidemarkError } from '../coherence/errors.ts';
import { identifier } from './carrier.ts';
import type { Session } from './driver.ts';
import { sqlState } from './sql-state.ts';

/** A row as it is found. */
export interface FoundRow {
  readonly id: string;
  readonly message: Uint8Array;
  /** How long ago it was written, in ms, as the database says. */
  readonly age: number;
}

/** Rows that were found together. */
export interface FoundRows {
  readonly rows: readonly FoundRow[];
  /** Whether there may be more. */
  readonly isFull: boolean;
}

/** Most rows at one look, and most bytes of messages unless the first has more. */
const BATCH = 500;
const BATCH_BYTES = 8 * 1024 * 1024;

/** The table that writers leave their messages in, and the log that it belongs to. */
export class OutboxRows {
  readonly #schema: string;
  readonly #log: string;
  readonly #table: string;
  readonly #look: string;

  /**
   * @param log the name of the relay's log
   * @throws TidemarkError `INVALID_OPTION` for what no schema is
   */
  constructor(schema: string, log: string) {
    this.#schema = schema;
    this.#log = log;
    this.#table = `${identifier(schema)}.outbox`;
    this.#look = `SELECT id::text AS id, message, (extract(epoch FROM clock_timestamp() - written_at) * 1000)::float8 AS age
FROM (SELECT *, sum(octet_length(message)) OVER (ORDER BY id) AS total FROM (SELECT * FROM ${this.#table} ORDER BY id LIMIT ${BATCH}) AS oldest) AS counted
WHERE total - octet_length(message) < ${BATCH_BYTES} ORDER BY id`;
  }

  /**
   * A relay of another log would take the messages away.
   *
   * @throws TidemarkError `INVALID_OPTION`
   */
  async checkLog(session: Session): Promise<void> {
    const table = `${identifier(this.#schema)}.relay`;
    const [known] = await session.query(`SELECT log FROM ${table}`);
    if (known === undefined) {
      await session.query(`INSERT INTO ${table} (log) VALUES ($1::text) ON CONFLICT DO NOTHING`, [this.#log]);
      return this.checkLog(session);
    }
    if (known['log'] === this.#log) return;
    throw new TidemarkError(
      'INVALID_OPTION',
      `name: the outbox in schema ${shorten(this.#schema)} belongs to the log ${shorten(known['log'])}, not to ${shorten(this.#log)}. Give each log a schema of its own; or, if it was renamed: UPDATE ${table} SET log = '${this.#log.replaceAll("'", "''")}'.`,
    );
  }

  /** The oldest there are. */
  async find(session: Session): Promise<FoundRows> {
    const found = await session.query(this.#look);
    const rows = found.map(({ id, message, age }) => ({
      id: String(id),
      message: message as Uint8Array,
      age: Number(age),
    }));
    const bytes = rows.reduce((sum, { message }) => sum + message.length, 0);
    return { rows, isFull: rows.length === BATCH || bytes >= BATCH_BYTES };
  }

  async delete(session: Session, ids: readonly string[]): Promise<void> {
    await session.query(`DELETE FROM ${this.#table} WHERE id = ANY ($1::text::bigint[])`, [`{${ids.join(',')}}`]);
  }

  /** An error of the database with its cure, where it is one of the table's. */
  explained(error: unknown): unknown {
    const schema = this.#schema === 'tidemark' ? '' : ` --schema ${this.#schema}`;
    const cure = {
      '42P01': `Run "tidemark postgres migrate${schema}".`,
      '3F000': `Run "tidemark postgres migrate${schema}".`,
      '42501': `Run, as their owner: GRANT USAGE ON SCHEMA ${identifier(this.#schema)} TO CURRENT_USER; GRANT SELECT, DELETE ON ${this.#table} TO CURRENT_USER; GRANT SELECT, INSERT ON ${identifier(this.#schema)}.relay TO CURRENT_USER; with the relay's role in place of CURRENT_USER.`,
    }[sqlState(error) ?? ''];
    if (cure === undefined) return error;
    return new TidemarkError('INVALID_OPTION', `The outbox cannot be read: ${(error as Error).message}. ${cure}`, {
      cause: error,
    });
  }
}
