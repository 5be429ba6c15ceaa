import { shorten, type TidemarkError } from '../coherence/errors.ts';
import type { Breaker, BreakerNotice, Clock, ProbeAnswer } from '../index.ts';
import { BoardLink } from './board-link.ts';
import type { BreakerListener, BreakerState } from './breaker-event.ts';
import { BreakerListeners } from './breaker-journal.ts';
import { judged } from './breaker-call.ts';
import { type BreakerOptions, type BreakerSettings, breakerSettings } from './breaker-options.ts';
import { CLOSED, type Phase, refusal } from './breaker-phase.ts';
import type { BreakerStatus } from './breaker-status.ts';
import { BreakerTrip } from './breaker-trip.ts';

/** What is given in place of what a call was refused, or has failed with. */
export interface FallbackOptions<F> {
  readonly fallback?: (error: unknown) => F | Promise<F>;
}

/** What a call brought, and whether it is the real thing. */
export type Attempted<T, F> =
  | { readonly from: 'work'; readonly value: T }
  | { readonly from: 'fallback'; readonly value: F; readonly error: unknown };

type Granted = ProbeAnswer & { readonly granted: true };

/** How much longer than its probe a claim lasts, in ms: its end has to get to the board. */
const MARGIN = 1_000;

/**
 * A {@link Breaker} that counts failures, and shares what it finds with its fleet over a board.
 *
 * - `closed`: calls go through. Failures as `opens` says: `open`, and the board is told.
 * - `open`: calls are refused. Once its time is over the next call asks the board to be the probe: `half-open`. Refused there, it
 *   stays open until that probe's time is over.
 * - `half-open`: the probe succeeds: `closed`. It fails, or takes too long: `open`. The board is told of both.
 *
 * In every phase what the board has to say that is newer counts. Without an answer of the board it decides alone.
 */
export class CircuitBreaker implements Breaker {
  readonly #settings: BreakerSettings;
  readonly #clock: Clock;
  readonly #trip: BreakerTrip;
  readonly #link: BoardLink;
  readonly #listeners: BreakerListeners;
  #phase: Phase = CLOSED();
  #since: number;
  /** Of the newest notice. */
  #number = 0;
  #refusal: { readonly phase: Phase; readonly error: TidemarkError } | undefined;
  readonly #counts = { failures: 0, refused: 0, fallbacks: 0, opened: 0 };
  #lastFailure: unknown;

  /** @throws TidemarkError `INVALID_OPTION` */
  constructor(options: BreakerOptions) {
    this.#settings = breakerSettings(options);
    const { name, board, clock, logger, makeTrip, forget } = this.#settings;
    this.#clock = clock;
    this.#since = clock.wall();
    this.#trip = new BreakerTrip(makeTrip, forget);
    this.#listeners = new BreakerListeners(logger);
    this.#link = new BoardLink({
      ...{ board, breaker: name, clock },
      heard: (notice) => this.#hear(notice),
      health: (up, error) =>
        this.#listeners.emit(
          up ? { type: 'board-back', breaker: name } : { type: 'board-failed', breaker: name, error },
        ),
    });
    this.#link.look();
  }

  get name(): string {
    return this.#settings.name;
  }

  get state(): BreakerState {
    return this.#phase.state;
  }

  /**
   * Runs `work`, or refuses it at once.
   *
   * @param options `fallback`: gives what is returned in place of an error; {@link attempt} tells which of the two it is
   * @throws TidemarkError `BREAKER_OPEN`; what `work` rejects with; what `fallback` throws
   * @example const rates = await billing.run(() => fetchRates(), { fallback: () => lastRates })
   */
  run<T>(work: () => Promise<T>): Promise<T>;
  run<T, F = T>(work: () => Promise<T>, options: FallbackOptions<F>): Promise<T | F>;
  async run<T, F>(work: () => Promise<T>, options?: FallbackOptions<F>): Promise<T | F> {
    if (options?.fallback === undefined) return this.#guard(work);
    return (await this.attempt(work, options)).value;
  }

  /** {@link run}, with where the value came from. */
  async attempt<T, F = never>(work: () => Promise<T>, options: FallbackOptions<F> = {}): Promise<Attempted<T, F>> {
    const { fallback } = options;
    try {
      return { from: 'work', value: await this.#guard(work) };
    } catch (error) {
      if (fallback === undefined) throw error;
      this.#counts.fallbacks++;
      this.#listeners.emit({ type: 'fallback', breaker: this.name, error });
      return { from: 'fallback', value: await fallback(error), error };
    }
  }

  /** Where it is: for a health endpoint. */
  status(): BreakerStatus {
    const phase = this.#phase;
    const closed = phase.state === 'closed';
    return {
      name: this.name,
      state: phase.state,
      since: new Date(this.#since).toISOString(),
      openedBy: closed ? null : phase.by,
      probedFrom: closed ? null : this.#wallOf(phase.due),
      ...this.#counts,
      lastFailure: this.#lastFailure === undefined ? null : shorten(this.#lastFailure, 200),
      board: this.#link.health,
    };
  }

  /** Calls `listener` with every {@link BreakerEvent} until the returned function is called. */
  on(listener: BreakerListener): () => void {
    return this.#listeners.on(listener);
  }

  /** Leaves the board, once it was told what it has to be. Calls go on, counted by this process alone. */
  close(): Promise<void> {
    return this.#link.close();
  }

  // --- calls

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    this.#link.look();
    const phase = this.#phase;
    if (phase.state === 'closed')
      return this.#judged(
        work,
        phase,
        () => this.#passed(),
        (error) => this.#failed(error),
      );
    if (phase.state === 'open' && this.#clock.monotonic() >= phase.due) return this.#probe(work, phase);
    throw this.#refused(phase);
  }

  /** Runs it, and judges it by how it ends: what began in another phase decides nothing. */
  #judged<T>(work: () => Promise<T>, phase: Phase, passed: () => void, failed: (error: unknown) => void): Promise<T> {
    const { timeout, name, isFailure } = this.#settings;
    const inPhase = (verdict: () => void): void => {
      if (this.#phase === phase) verdict();
    };
    return judged(work, {
      ...{ clock: this.#clock, timeout, name, isFailure },
      passed: () => inPhase(passed),
      failed: (error) => inPhase(() => failed(error)),
    });
  }

  #passed(): void {
    this.#trip.succeeded(this.#clock.monotonic());
  }

  #failed(error: unknown): void {
    this.#countFailure(error);
    if (!this.#trip.failed(this.#clock.monotonic())) return this.#link.look();
    this.#openForAll(error);
  }

  #openForAll(error: unknown): void {
    const { name, openFor: time, node: by } = this.#settings;
    const phase = this.#open(by, time, true, error);
    this.#link.tell(
      (board) => (this.#phase === phase ? board.open(name, { number: this.#number, by, time }) : undefined),
      (notice) => this.#hear(notice),
    );
  }

  // --- the probe

  async #probe<T>(work: () => Promise<T>, before: Phase & { state: 'open' }): Promise<T> {
    const { name, node: by, timeout } = this.#settings;
    const probing: Phase = { ...before, state: 'half-open' };
    this.#enter(probing);
    const time = timeout + MARGIN;
    let claim: Granted | undefined;
    const answer = await this.#link.claim(
      (board) => board.claim(name, { number: this.#number, by, time }),
      (late) => {
        if (!late.granted) return;
        if (this.#phase === probing) claim = late;
        else if (this.state === 'closed') this.#settle(() => late.succeeded(), false);
      },
    );
    // Meanwhile the board had something newer to say.
    if (this.#phase !== probing) return this.#guard(work);
    if (answer?.granted === false && (answer.notice.open || answer.notice.number > this.#number)) {
      this.#enter({ state: 'open', by: before.by, due: this.#in(answer.notice.left) });
      this.#hear(answer.notice);
      if (this.state === 'closed') return this.#guard(work);
      throw this.#refused(this.#phase);
    }
    // Granted; or nobody knows that it is open, or nobody answers: then it decides alone.
    if (answer?.granted === true) claim = answer;
    this.#listeners.emit({ type: 'probing', breaker: name });
    return this.#judged(
      work,
      probing,
      () => this.#recovered(claim),
      (error) => this.#failedAgain(claim, error),
    );
  }

  #recovered(claim: Granted | undefined): void {
    this.#close(true);
    if (claim !== undefined) this.#settle(() => claim.succeeded(), false);
  }

  #failedAgain(claim: Granted | undefined, error: unknown): void {
    const { node, openFor } = this.#settings;
    this.#countFailure(error);
    if (claim === undefined) return this.#openForAll(error);
    this.#open(node, openFor, true, error);
    this.#settle(() => claim.failed(openFor), true);
  }

  /** Tells how the probe ended. What it decided here stands, where the board agrees. */
  #settle(say: () => Promise<BreakerNotice>, open: boolean): void {
    this.#link.tell(say, (notice) => {
      if (notice.open === open) this.#number = Math.max(this.#number, notice.number);
      else this.#hear(notice);
    });
  }

  // --- phases

  #hear({ number, open, by, left }: BreakerNotice): void {
    if (!(number > this.#number)) return;
    this.#number = number;
    if (!open) return this.#phase.state === 'closed' ? undefined : this.#close(false);
    if (this.#phase.state === 'closed') return void this.#open(by, left, false);
    this.#phase = { state: 'open', by, due: this.#in(left) };
  }

  #open(by: string, ms: number, here: boolean, error?: unknown): Phase {
    const phase: Phase = { state: 'open', by, due: this.#in(ms) };
    this.#enter(phase);
    this.#counts.opened++;
    const why = error === undefined ? {} : { error };
    this.#listeners.emit({ type: 'opened', breaker: this.name, by, here, ms, ...why });
    return phase;
  }

  #close(here: boolean): void {
    this.#trip.reset();
    this.#enter(CLOSED());
    this.#listeners.emit({ type: 'closed', breaker: this.name, here });
  }

  #enter(phase: Phase): void {
    if ((phase.state === 'closed') !== (this.#phase.state === 'closed')) this.#since = this.#clock.wall();
    this.#phase = phase;
  }

  /** So many ms from now. What a board of somebody's own says that is no number must not keep it open for ever. */
  #in(ms: number): number {
    return this.#clock.monotonic() + (ms > 0 ? ms : 0);
  }

  #countFailure(error: unknown): void {
    this.#counts.failures++;
    this.#lastFailure = error;
    this.#listeners.emit({ type: 'failed', breaker: this.name, error });
  }

  /** One error for all who are refused in a phase, since each costs a stack. */
  #refused(phase: Phase): TidemarkError {
    this.#counts.refused++;
    this.#listeners.emit({ type: 'refused', breaker: this.name });
    if (this.#refusal?.phase !== phase) this.#refusal = { phase, error: this.#refuse(phase) };
    return this.#refusal.error;
  }

  #refuse(phase: Phase): TidemarkError {
    if (phase.state === 'closed') return refusal(this.name, phase, '', this.#lastFailure);
    return refusal(this.name, phase, this.#wallOf(phase.due), this.#lastFailure);
  }

  #wallOf(due: number): string {
    return new Date(this.#clock.wall() + Math.max(0, due - this.#clock.monotonic())).toISOString();
  }
}

/**
 * A circuit breaker: while a dependency fails, nobody waits for it. With a `board`, what one process finds out spares all others, one
 * call of the whole fleet at a time finds out whether it is back, and then all go on.
 *
 * @throws TidemarkError `INVALID_OPTION`, naming the option and the cure
 * @example
 * const billing = createBreaker({ name: 'billing', board: cache.breakers });
 * await billing.run(() => fetch('https://billing.example/rates'));
 */
export function createBreaker(options: BreakerOptions): CircuitBreaker {
  return new CircuitBreaker(options);
}
