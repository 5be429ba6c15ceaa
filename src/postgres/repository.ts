import type { Changes } from './changes.ts';
import type { Touches } from './touches.ts';

/** What a repository's methods are given: the transaction of the data layer, and where its changes are collected. */
export interface Work<N> {
  readonly tx: N;
  readonly changes: Pick<Changes, 'invalidate'>;
}

/**
 * A base for repositories: storing or deleting an entity collects what it touches, as it was and as it is. A repository says how
 * its rows are read and written; `N` is the data layer's transaction, `E` the entities of the mapping, `K` which one this is.
 *
 * @example
 * class Users extends Repository<Entities, 'user', PgTransaction> {
 *   protected find = ({ tx }, id) => one(tx, 'SELECT * FROM users WHERE id = $1 FOR UPDATE', [id]);
 *   ...
 * }
 */
export abstract class Repository<E, K extends keyof E & string, N, Id = string | number> {
  readonly #touches: Touches<E>;
  readonly #kind: K;

  constructor(touches: Touches<E>, kind: K) {
    this.#touches = touches;
    this.#kind = kind;
  }

  /**
   * The entity as it is now, locked against other writers (`FOR UPDATE`): what it is before must be what the write replaces.
   *
   * @returns `undefined` where there is none
   */
  protected abstract find(work: Work<N>, id: Id): Promise<E[K] | undefined>;
  /** Inserts or updates it. Returns it as it is now, with what the database has filled in. */
  protected abstract write(work: Work<N>, entity: E[K]): Promise<E[K]>;
  /** Deletes it. */
  protected abstract remove(work: Work<N>, id: Id): Promise<void>;
  protected abstract idOf(entity: E[K]): Id;

  /** Stores an entity, new or known. Returns it as it was stored. */
  async save(work: Work<N>, entity: E[K]): Promise<E[K]> {
    const before = await this.find(work, this.idOf(entity));
    const after = await this.write(work, entity);
    work.changes.invalidate(this.#touches.of(this.#kind, before, after));
    return after;
  }

  /**
   * Changes an entity.
   *
   * @param change returns it as it shall be
   * @returns it as it was stored, or `undefined` where there is none
   */
  async update(work: Work<N>, id: Id, change: (entity: E[K]) => E[K]): Promise<E[K] | undefined> {
    const before = await this.find(work, id);
    if (before === undefined) return undefined;
    // A copy, since the change may be made in place.
    const kept = structuredClone(before);
    const after = await this.write(work, change(before));
    work.changes.invalidate(this.#touches.of(this.#kind, kept, after));
    return after;
  }

  /** Deletes an entity. Returns whether there was one. */
  async delete(work: Work<N>, id: Id): Promise<boolean> {
    const before = await this.find(work, id);
    if (before === undefined) return false;
    await this.remove(work, id);
    work.changes.invalidate(this.#touches.of(this.#kind, before, undefined));
    return true;
  }
}
