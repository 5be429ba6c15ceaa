import type { LoadContext } from './load-context.ts';
import type { ReadSettings } from './read-options.ts';
import type { Scope } from './scope.ts';
import type { Tally } from './tally.ts';

/** How a value of another version becomes one of this. */
export interface Migration {
  readonly from: number;
  readonly lift: (old: unknown) => unknown;
}

/** One value that somebody wants: its key, how it is loaded, and what the reader accepts. */
export interface ReadRequest<T = unknown> {
  /** Canonical. */
  readonly key: string;
  /** Where the value is kept: its key, in its query's version. */
  readonly place: string;
  readonly load: (ctx: LoadContext) => T | Promise<T>;
  /** Where `load` is made together with others: what loads this value by itself. */
  readonly alone?: (ctx: LoadContext) => T | Promise<T>;
  readonly settings: ReadSettings;
  /** What its reader is given in place of an error. It is no value of the key: nothing keeps, shares or judges it. */
  readonly fallback?: ((error: unknown) => T | Promise<T>) | undefined;
  /** Computed only where labels are needed. */
  readonly tags: () => readonly string[];
  /** Whether what the cache has is as good as what was loaded; where nobody says so, what is equal to it. */
  readonly equals?: ((cached: unknown, loaded: unknown) => boolean) | undefined;
  /** What is found is compared, and given to nobody: it is no hit. */
  readonly compared?: true;
  /** The query it comes from: the same owner has the same tags for the same key. */
  readonly owner: Tally | undefined;
  /** Lifts what another version of the query has kept, by version, the first to try first. */
  readonly migrations?: readonly Migration[] | undefined;
  /** What holds where it is read. */
  readonly scope?: Scope;
  /** Called once, where it turns out that `load` will not be needed, or not now. */
  readonly elsewhere?: () => void;
  /** Its load is made together with others, which share one place in the budget: resolves when it is their turn. */
  readonly board?: () => Promise<void>;
}

/** What events are about. */
export interface EventSubject {
  readonly key: string;
  readonly query: string | undefined;
}

export function subjectOf({ key, owner }: ReadRequest): EventSubject {
  return { key, query: owner?.query };
}
