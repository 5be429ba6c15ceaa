import type { PartContext } from '../coherence/part.ts';
import type { Presence } from '../coherence/presence.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Reports } from './reports.ts';

/** What a cache was made of, as far as tools look through it. */
export interface CacheParts {
  readonly context: PartContext;
  /** The origin of this node's records, `name#random`: its name in the list of nodes. */
  readonly node: string;
  readonly presence: Presence | undefined;
  readonly reports: Reports | undefined;
  readonly diagnostics: Diagnostics | undefined;
  /** The W3C `traceparent` that a record made here and now would carry; `undefined` for none. */
  readonly traceparent: () => string | undefined;
}
