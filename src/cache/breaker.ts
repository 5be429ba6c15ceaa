/**
 * Decides whether a dependency is worth asking now, so that nobody waits for a dead one.
 *
 * It does not promise that what it lets through succeeds, nor that it stops at the first failure.
 */
export interface Breaker {
  /** Runs `work`, or rejects at once while the breaker is open. Rejections of `work` pass through unchanged. */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Lets everything through. */
export const noBreaker: Breaker = {
  run: (work) => work(),
};

/** What a fleet knows of one of its breakers. */
export interface BreakerNotice {
  /** Rises with every change, so that an old one is told from a new one; 0 where nothing is known. */
  readonly number: number;
  readonly open: boolean;
  /** Who opened it; `''` where nobody did. */
  readonly by: string;
  /** In how many ms it may be probed: what is left of its time, or of that of the one who probes now. 0: at once. */
  readonly left: number;
}

/** What somebody wants to change about a breaker. */
export interface BreakerChange {
  /** The newest notice that whoever asks has seen: what was decided on an older one changes nothing. */
  readonly number: number;
  /** Who asks, for people. */
  readonly by: string;
  /** Of an opening: how long until it may be probed. Of a claim: how long the probe may take. In ms. */
  readonly time: number;
}

/** What asking for the probe was answered. */
export type ProbeAnswer =
  | {
      readonly granted: true;
      /** The dependency has answered: closes the breaker for all, unless the time of the claim is over. */
      succeeded(): Promise<BreakerNotice>;
      /** It has not: opens it for another `time` ms, unless the time of the claim is over. */
      failed(time: number): Promise<BreakerNotice>;
    }
  | { readonly granted: false; readonly notice: BreakerNotice };

/**
 * Where the breakers of a fleet tell each other what they have found: one discovers that a dependency is dead and the others are
 * spared, one probes it, and all are told that it is back. Breakers of one name are one.
 *
 * Times are lengths, counted by one clock: that of the board. It does not promise that anybody is told: who wants to know reads.
 * Nor that anything stays: what is lost counts as never said, and each breaker goes on with what it knows itself. Nor that it
 * answers in time, or at all.
 */
export interface BreakerBoard {
  read(breaker: string): Promise<BreakerNotice>;
  /**
   * Opens a breaker, unless a newer notice says something else. Of those who open it at once the first one counts.
   *
   * @returns what holds now
   */
  open(breaker: string, change: BreakerChange): Promise<BreakerNotice>;
  /**
   * Asks for the right to probe: granted to one at a time, where the breaker is open, its time is over, and the notice is the newest.
   * Who does not say in time how the probe ended has lost it to the next.
   */
  claim(breaker: string, change: BreakerChange): Promise<ProbeAnswer>;
}
