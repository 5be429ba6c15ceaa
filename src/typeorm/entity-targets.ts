import type { ObjectLiteral } from 'typeorm';
import { checkKnown, shorten, type Target, TidemarkError, type Touches } from '../postgres/transaction.ts';

export interface TypeormInvalidationOptions<E> {
  /** What entities touch, by their names in TypeORM. The others touch nothing. */
  readonly touches?: Touches<E>;
  /**
   * What is stale once rows of an entity have changed, and TypeORM did not say which: after `update()`, `delete()` and other query
   * builders. Those of an entity that `touches` knows are refused without it; one that invalidates by hand returns `[]`.
   */
  readonly blind?: { readonly [K in keyof E]?: () => Target | readonly Target[] };
}

/** A change as TypeORM tells of it. */
export interface Change {
  readonly metadata: { readonly name: string };
  readonly entity?: ObjectLiteral | undefined;
  readonly databaseEntity?: ObjectLiteral | undefined;
}

/** From what TypeORM tells to targets. */
export class EntityTargets<E> {
  readonly #touches: Touches<E> | undefined;
  readonly #blind: Readonly<Record<string, (() => Target | readonly Target[]) | undefined>>;

  /** @throws TidemarkError `INVALID_OPTION` */
  constructor(options: TypeormInvalidationOptions<E>) {
    checkKnown(options, ['touches', 'blind'], 'withInvalidation()');
    const { touches, blind = {} } = options;
    checkKnown(blind, touches?.kinds ?? [], 'blind');
    this.#touches = touches;
    this.#blind = blind;
  }

  /**
   * Before a change of rows that are there: refuses one of which nobody knows the rows.
   *
   * @throws TidemarkError `INVALID_TARGET`
   */
  check(change: Change): void {
    const { name } = change.metadata;
    if (!this.#knows(change) || change.databaseEntity !== undefined || this.#blind[name] !== undefined) return;
    throw new TidemarkError(
      'INVALID_TARGET',
      `${shorten(name)}: TypeORM changes rows without saying which, as update(), delete() and query builders do. Use save() or remove() of the entity, or give withInvalidation() what to invalidate then: blind: { ${name}: () => tag(...) }.`,
    );
  }

  /** Of rows that were not there before. */
  added(change: Change): readonly Target[] {
    return this.#knows(change) ? this.#of(change.metadata.name, undefined, change.entity) : [];
  }

  /** Of rows that were there, and are so still. */
  changed(change: Change): readonly Target[] {
    const { metadata, entity, databaseEntity } = change;
    if (!this.#knows(change)) return [];
    if (databaseEntity === undefined) return this.#unseen(metadata.name);
    return this.#of(metadata.name, databaseEntity, after(databaseEntity, entity));
  }

  /** Of rows that are there no more. */
  removed(change: Change): readonly Target[] {
    const { metadata, databaseEntity } = change;
    if (!this.#knows(change)) return [];
    if (databaseEntity === undefined) return this.#unseen(metadata.name);
    return this.#of(metadata.name, databaseEntity, undefined);
  }

  #knows({ metadata }: Change): boolean {
    return (this.#touches?.kinds as readonly string[] | undefined)?.includes(metadata.name) === true;
  }

  #unseen(name: string): readonly Target[] {
    const targets = this.#blind[name]?.() ?? [];
    return Array.isArray(targets) ? (targets as readonly Target[]) : [targets as Target];
  }

  #of(name: string, before: ObjectLiteral | undefined, after: ObjectLiteral | undefined): readonly Target[] {
    return (this.#touches as Touches<Record<string, ObjectLiteral>>).of(name, before, after);
  }
}

/** What a row is like now: what is given may be a part of it, and TypeORM does not write what is undefined. */
function after(before: ObjectLiteral, given: ObjectLiteral | undefined): ObjectLiteral {
  const now = Object.assign(Object.create(Object.getPrototypeOf(before) as object | null) as ObjectLiteral, before);
  for (const [name, value] of Object.entries(given ?? {})) if (value !== undefined) now[name] = value as unknown;
  return now;
}
