/** Where the servers are, and how changes are carried. */
export interface Assignment {
  readonly database: string;
  readonly redis: string;
  /** A name of `carriers`. */
  readonly carrier: string;
}

/** When a writer kills itself; `anytime`: somebody else does. */
export const POINTS = ['before', 'sent', 'answered', 'appending', 'appended', 'anytime'] as const;

export type Point = (typeof POINTS)[number];

/** To a process. */
export type Order =
  | { readonly type: 'begin'; readonly assignment: Assignment }
  /** To a writer: one transaction that sets an item, and death at a point of it, after a moment of at most `ms`. */
  | { readonly type: 'write'; readonly id: number; readonly value: number; readonly point: Point; readonly ms: number }
  /** To a reader. */
  | { readonly type: 'read'; readonly request: number; readonly id: number }
  /** To a relay. */
  | { readonly type: 'status' };

/** From a process. */
export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'read'; readonly request: number; readonly value: number; readonly from: string }
  | {
      readonly type: 'status';
      readonly state: string;
      /** Whether one that is active does what it is for. */
      readonly works: boolean;
      readonly appended: number;
      readonly duplicates: number;
    };

/** The key of an item. */
export const keyOf = (id: number): [string, number] => ['item', id];
