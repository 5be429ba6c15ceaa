import { within } from '../coherence/deadline.ts';
import type { BreakerBoard, BreakerNotice, Clock, ProbeAnswer } from '../index.ts';

export interface BoardLinkParts {
  readonly board: BreakerBoard | undefined;
  readonly breaker: string;
  readonly clock: Clock;
  /** What the fleet knows. */
  readonly heard: (notice: BreakerNotice) => void;
  /** The board cannot be reached any more, with the error; or can be again. */
  readonly health: (up: boolean, error?: unknown) => void;
}

/** Shortest time between two looks, in ms. */
const PACE = 100;

/** How long any request may take before the next one goes on without its answer, in ms. */
const PATIENCE = 1_000;

/** How long the one call that is to be the probe waits to be let, in ms; without an answer it goes alone. */
const CLAIM_PATIENCE = 100;

/**
 * How a breaker reaches its board: nobody waits for it, and nothing fails because of it. It is looked at when calls are made, not on a
 * timer, so that breakers at rest cost nothing.
 */
export class BoardLink {
  readonly #parts: BoardLinkParts;
  #up = true;
  #looking = false;
  #nextLook = Number.NEGATIVE_INFINITY;
  /** What is told is told in order: an opening that follows a closing must not come before it. */
  #line: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: BoardLinkParts) {
    this.#parts = parts;
  }

  /** `'none'` where there is no board, or no more. */
  get health(): 'none' | 'up' | 'down' {
    if (this.#parts.board === undefined || this.#closed) return 'none';
    return this.#up ? 'up' : 'down';
  }

  /** Asks what is known, unless that was done a moment ago. */
  look(): void {
    const { board, breaker, clock, heard } = this.#parts;
    if (board === undefined || this.#closed || this.#looking) return;
    const now = clock.monotonic();
    if (now < this.#nextLook) return;
    this.#looking = true;
    this.#nextLook = now + PACE;
    void this.#ask(() => board.read(breaker), PATIENCE).then((notice) => {
      this.#looking = false;
      if (notice !== undefined) heard(notice);
    });
  }

  /**
   * Tells the board something, after what was told before.
   *
   * @param say makes the request when it is its turn; `undefined` if there is nothing to say any more
   * @param answered what holds now
   */
  tell(
    say: (board: BreakerBoard) => Promise<BreakerNotice> | undefined,
    answered: (notice: BreakerNotice) => void,
  ): void {
    const { board } = this.#parts;
    if (board === undefined) return;
    this.#line = this.#line.then(async () => {
      if (this.#closed) return;
      const notice = await this.#ask(async () => say(board), PATIENCE);
      if (notice !== undefined) answered(notice);
    });
  }

  /**
   * Asks to be the probe; `undefined` where nobody can be asked, or answers in time.
   *
   * @param late told what is answered after that: who is granted a probe and does not say so holds up all others
   */
  async claim(
    ask: (board: BreakerBoard) => Promise<ProbeAnswer>,
    late: (answer: ProbeAnswer) => void,
  ): Promise<ProbeAnswer | undefined> {
    const { board } = this.#parts;
    if (board === undefined || this.#closed || !this.#up) return undefined;
    let asked: Promise<ProbeAnswer> | undefined;
    const answer = await this.#ask(() => (asked = ask(board)), CLAIM_PATIENCE);
    if (answer === undefined) asked?.then(late, () => {});
    return answer;
  }

  /** Resolves when what was told has arrived, or was given up. */
  async close(): Promise<void> {
    await this.#line;
    this.#closed = true;
  }

  async #ask<T>(request: () => Promise<T>, patience: number): Promise<T | undefined> {
    try {
      const late = (): Error => new Error(`the board did not answer within ${patience} ms`);
      const answer = await within(this.#parts.clock, patience, request(), late);
      this.#is(true);
      return answer;
    } catch (error) {
      this.#is(false, error);
      return undefined;
    }
  }

  #is(up: boolean, error?: unknown): void {
    if (this.#up === up || this.#closed) return;
    this.#up = up;
    this.#parts.health(up, error);
  }
}
