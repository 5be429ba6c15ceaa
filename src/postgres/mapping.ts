import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { everything, type Target, targetList } from '../coherence/target.ts';
import type { WalChange, WalRelation, WalTuple } from './wal-message.ts';

/**
 * What a change of a row makes stale.
 *
 * @typeParam Row the table's row
 * @typeParam Column the columns that `targets` needs
 */
export interface CaptureTable<Row = Readonly<Record<string, unknown>>, Column extends keyof Row = keyof Row> {
  /**
   * What `targets` needs. The database has to log them of old rows too: the primary key always is; anything else needs
   * `ALTER TABLE ... REPLICA IDENTITY FULL`.
   */
  readonly columns: readonly Column[];
  /**
   * Called with the old row of an update or delete, and with the new one of an insert or update: a row that moves from one
   * organisation to another invalidates both.
   *
   * Values are numbers (`int2`, `int4`, `oid`, floats), bigints (`int8`), booleans, the content of JSON, and the texts of
   * Postgres for everything else. What it throws counts as `everything()`, and is reported.
   */
  targets(row: Pick<Row, Column>): Target | readonly Target[];
  /** What TRUNCATE makes stale, and a transaction that changes very many rows. Default: everything. */
  readonly truncated?: Target | readonly Target[];
}

/** What is captured, by table: `'users'` is `'public.users'`. */
export type CaptureTables = Readonly<Record<string, CaptureTable>>;

/**
 * Types a mapping by the rows of the tables.
 *
 * @example
 * const tables = captureTables<{ users: { id: number; org_id: number; name: string } }>()({
 *   users: { columns: ['id', 'org_id'], targets: (row) => [key('user', row.id), tag(`org:${row.org_id}`)] },
 * });
 */
export function captureTables<S extends object>(): <C extends { [T in keyof S]?: keyof S[T] }>(
  tables: {
    [T in keyof C]: T extends keyof S ? CaptureTable<S[T], C[T] & keyof S[T]> : never;
  },
) => CaptureTables {
  return (tables) => tables as unknown as CaptureTables;
}

/** Of what a change could not be told: then it counts as everything. */
export class Unknowable extends Error {
  override readonly name = 'Unknowable';
}

/** The mapping of one table, checked. */
export class TableMapping {
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** What a change of which nobody knows the rows makes stale. */
  readonly whole: readonly Target[];
  /** Whether the rows are those of partitions, each with an identity of its own. */
  partitioned = false;
  readonly #targets: (row: WalTuple) => unknown;
  /** Of each version of the table. */
  readonly #lacking = new WeakMap<WalRelation, { readonly what: string | undefined }>();

  /**
   * @param name as given by the user
   * @throws TidemarkError `INVALID_OPTION`
   */
  constructor(name: string, given: CaptureTable) {
    const where = `capture.tables[${shorten(name)}]`;
    if (typeof given !== 'object' || given === null)
      throw new TidemarkError(
        'INVALID_OPTION',
        `${where}: ${shorten(given)} is no mapping. Give { columns, targets }.`,
      );
    checkKnown(given, ['columns', 'targets', 'truncated'], where);
    const [schema, table] = name.includes('.') ? split(name) : ['public', name];
    if (schema === '' || table === '')
      throw new TidemarkError('INVALID_OPTION', `${where} is no table. Name it 'users', or 'sales.orders'.`);
    this.schema = schema;
    this.table = table;
    const columns: readonly unknown[] = given.columns;
    if (!Array.isArray(columns) || columns.length === 0 || !columns.every((it) => typeof it === 'string' && it !== ''))
      throw new TidemarkError(
        'INVALID_OPTION',
        `${where}.columns: ${shorten(columns)} is no list of columns. Name those that \`targets\` needs: ['id'].`,
      );
    this.columns = given.columns;
    if (typeof given.targets !== 'function')
      throw new TidemarkError(
        'INVALID_OPTION',
        `${where}.targets: ${shorten((given as { targets?: unknown }).targets)} is no function. Give (row) => key('user', row.id).`,
      );
    this.#targets = (row) => given.targets(row);
    const { truncated = everything() } = given;
    this.whole = targetsOf(truncated, `${where}.truncated`);
  }

  /** `schema.table`: what relations are known by. */
  get name(): string {
    return `${this.schema}.${this.table}`;
  }

  /**
   * What a relation lacks for this mapping, or `undefined`. Asked for each version of a table that the log tells of, since the
   * log may be older than the last change of its definition.
   */
  lacks(relation: WalRelation): string | undefined {
    let lacking = this.#lacking.get(relation);
    if (lacking === undefined) this.#lacking.set(relation, (lacking = { what: this.#compare(relation) }));
    return lacking.what;
  }

  #compare({ columns, keyColumns, replicaIdentity }: WalRelation): string | undefined {
    const missing = this.columns.filter((it) => !columns.some(({ name }) => name === it));
    if (missing.length > 0) return `the log has no column ${missing.join(', ')}`;
    if (replicaIdentity === 'full') return undefined;
    const unknown = this.columns.filter((it) => replicaIdentity === 'nothing' || !keyColumns.includes(it));
    return unknown.length === 0 ? undefined : `the log does not have ${unknown.join(', ')} of old rows`;
  }

  /**
   * What a change makes stale.
   *
   * @throws Unknowable where the log does not have the values; TidemarkError `INVALID_TARGET`; what the user's function throws
   */
  targetsOf(change: WalChange): Target[] {
    const lacking = this.lacks(change.relation);
    if (lacking !== undefined) throw new Unknowable(lacking);
    return this.#rowsOf(change).flatMap((row) => targetsOf(this.#targets(row), `capture.tables[${this.name}].targets`));
  }

  #rowsOf(change: WalChange): WalTuple[] {
    switch (change.tag) {
      case 'insert':
        return [this.#row(change.new)];
      case 'delete':
        return [this.#oldRow(change)];
      case 'update': {
        // Without an old row the key has not changed, and the mapping needs nothing else of it.
        if (change.old === null && change.key === null) {
          if (change.relation.replicaIdentity === 'full') throw new Unknowable('the log has no old row');
          return [this.#row(change.new)];
        }
        // A large value that has not changed is not in the new row.
        return [this.#oldRow(change), this.#row(change.new, change.old ?? change.key ?? undefined)];
      }
      default:
        return change satisfies never;
    }
  }

  #oldRow({ old, key, relation }: Exclude<WalChange, { tag: 'insert' }>): WalTuple {
    const row = this.#row(old ?? key ?? {});
    // 1. A partition is attached whose identity is its key. 2. A row of it is deleted. 3. The log tells of it as the parent does,
    // whole, with nothing but the key in it. So an empty value may be one that was not logged.
    const doubtful = this.partitioned && relation.replicaIdentity === 'full';
    if (doubtful && this.columns.some((it) => row[it] === null))
      throw new Unknowable('a partition may not log whole rows, and a value is empty');
    return row;
  }

  #row(tuple: WalTuple, otherwise: WalTuple = {}): WalTuple {
    const row: Record<string, unknown> = {};
    for (const column of this.columns) {
      const value = tuple[column] === undefined ? otherwise[column] : tuple[column];
      if (value === undefined) throw new Unknowable(`the log does not have the value of ${column}`);
      row[column] = value;
    }
    return new Proxy(row, onlyListed);
  }
}

/** A column that was not listed would be `undefined`, and a part of a key that nothing is kept under. */
const onlyListed: ProxyHandler<Record<string, unknown>> = {
  get(row, name) {
    if (typeof name === 'symbol' || name in row) return Reflect.get(row, name) as unknown;
    throw new TidemarkError('INVALID_OPTION', `The column ${shorten(name)} is not listed. Add it to \`columns\`.`);
  },
};

function split(name: string): [string, string] {
  const at = name.indexOf('.');
  return [name.slice(0, at), name.slice(at + 1)];
}

function targetsOf(given: unknown, where: string): readonly Target[] {
  return targetList(
    given,
    (shown) => `${where}: ${shown} is not a target. Use key(...), tag(...), pattern(...) or everything().`,
  );
}

/**
 * Mappings by the names of their tables.
 *
 * @throws TidemarkError `INVALID_OPTION`
 */
export function mappingsOf(tables: CaptureTables): ReadonlyMap<string, TableMapping> {
  const mappings = new Map<string, TableMapping>();
  for (const [name, given] of Object.entries(tables)) {
    const mapping = new TableMapping(name, given);
    if (mappings.has(mapping.name))
      throw new TidemarkError('INVALID_OPTION', `capture.tables: ${mapping.name} is mapped twice. Keep one.`);
    mappings.set(mapping.name, mapping);
  }
  return mappings;
}
