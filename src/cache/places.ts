/** What asking for a place was answered. */
export type PlaceAnswer =
  | { readonly granted: true; release(): Promise<void> }
  /** All are taken. Ask again in `wait` ms. */
  | { readonly granted: false; readonly wait: number };

/**
 * A number of places in the whole fleet: who has one may load. What protects a database from all processes at once, when
 * each keeps within its own limit.
 *
 * It does not promise order among those who wait, nor that a place that ran out stops the load that had it.
 */
export interface Places {
  /**
   * @param limit how many there are
   * @param time how long the place is needed at most, in ms; then another may have it
   */
  take(limit: number, time: number): Promise<PlaceAnswer>;
}
