/** What a capture tells: a part of what its relay does. */
export type CaptureEvent =
  /** It reads the database's log. */
  | { readonly type: 'slot-streaming'; readonly slot: string }
  /** It does not, until the error is mended; it is tried again all the while. */
  | { readonly type: 'slot-waiting'; readonly slot: string; readonly error: unknown }
  /**
   * Changes may have been made that it will never be told of: everything is invalidated. `exists`: there is a slot, and capture
   * goes on; otherwise nothing is captured until somebody runs `tidemark postgres setup --recreate`.
   */
  | { readonly type: 'slot-gap'; readonly slot: string; readonly reason: string; readonly exists: boolean }
  /** The gap is over: everything was invalidated once more, after all that it may have hidden was visible. */
  | { readonly type: 'slot-mended'; readonly slot: string; readonly reason: string }
  /** The slot kept more of the database's log on its disk than it may, and was dropped. A gap follows. */
  | { readonly type: 'slot-dropped'; readonly slot: string; readonly retained: number }
  /** A change that could not be mapped, and counted as everything. Told once a minute for each table. */
  | { readonly type: 'unknowable-change'; readonly table: string | undefined; readonly error: unknown };
