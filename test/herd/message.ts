/** What a process of the herd is told when it starts. */
export interface Assignment {
  readonly node: number;
  /** Of the Sentinels. */
  readonly ports: readonly number[];
  /** Loads at once: in each process, and in all of them. */
  readonly concurrency: number;
  readonly fleet: number;
  readonly entries: number;
  readonly processes: number;
  readonly readers: number;
}

/** To a process. */
export type Order =
  | { readonly type: 'begin'; readonly assignment: Assignment }
  | { readonly type: 'loaded'; readonly request: number }
  | { readonly type: 'fill' | 'read' | 'close' };

/** From a process. */
export type Report =
  | { readonly type: 'load'; readonly request: number; readonly key: string }
  /** The log is in another epoch now, and this node follows it. */
  | { readonly type: 'epoch'; readonly number: number }
  | { readonly type: 'attached' }
  | { readonly type: 'filled' }
  | {
      readonly type: 'closed';
      readonly reads: number;
      readonly loads: number;
      readonly errors: readonly string[];
      /** Requests for a lease, or for a place, that were not answered. */
      readonly unanswered: number;
    };
