import type { Cancel } from '../coherence/clock.ts';
import type { CaptureSettings } from './capture-options.ts';
import type { CaptureBatch, CaptureQueue } from './capture-queue.ts';
import type { Session } from './driver.ts';
import { keepAcknowledged } from './slot.ts';
import type { Sender, SourceParts } from './source.ts';

export interface CaptureAcknowledgementParts {
  readonly source: SourceParts;
  readonly settings: CaptureSettings;
  readonly session: Session;
  readonly sender: Sender;
  readonly queue: CaptureQueue;
  /** What is written down so far. */
  readonly kept: bigint;
  /** Called before anything is given up: that the caches are up to date is news as well. */
  readonly refresh: () => Promise<void>;
  /** Where the first stands that may not be given up. */
  readonly reached: () => bigint;
  /** Called when batches are done. */
  readonly done: () => void;
  /** Tells the server. */
  readonly acknowledge: (lsn: bigint) => void;
  readonly failed: (cause: unknown) => void;
}

/** Between two acknowledgements, in ms. */
const KEEP = 1_000;
/** Batches that were sent and not confirmed; while there are more, nothing is sent. */
const MOST_SENT = 1_000;
/** What may be kept by the server while nothing happens that concerns anybody, in bytes. */
const IDLE_BYTES = 16n * 1024n ** 2n;

/**
 * Gives up what is in the log for certain. What was not acknowledged at a crash is sent, and appended, again.
 *
 * 1. The log proves that it holds what was sent. 2. How far that is, is written down. 3. The server is told: a slot that is further
 * than what is written down was moved by somebody else.
 */
export class CaptureAcknowledgement {
  readonly #parts: CaptureAcknowledgementParts;
  #kept: bigint;
  /** Whether anything was appended that the server need not send again. */
  #dirty = false;
  #sent: CaptureBatch[] = [];
  #keeping = false;
  #cancel: Cancel | undefined;

  constructor(parts: CaptureAcknowledgementParts) {
    this.#parts = parts;
    this.#kept = parts.kept;
  }

  /** Whether enough was sent that is not confirmed. */
  get isFull(): boolean {
    return this.#sent.length >= MOST_SENT;
  }

  start(): void {
    this.#cancel = this.#parts.source.context.clock.schedule(KEEP, () => {
      this.start();
      if (!this.#keeping) void this.#keepUp();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** The log has answered for a batch. */
  sent(batch: CaptureBatch): void {
    this.#sent.push(batch);
  }

  /** Something is in the log, whoever has appended it. */
  note(): void {
    this.#dirty = true;
  }

  async #keepUp(): Promise<void> {
    this.#keeping = true;
    try {
      await this.#confirm();
      await this.#parts.refresh();
      await this.#keep(this.#parts.reached());
    } catch (error) {
      this.#parts.failed(error);
    } finally {
      this.#keeping = false;
    }
  }

  async #confirm(): Promise<void> {
    const sent = this.#sent.splice(0);
    if (sent.length === 0) return;
    const { sender, queue, done } = this.#parts;
    await sender.confirmed(sent.flatMap(({ drafts }) => drafts));
    for (const it of sent) queue.done(it);
    this.#dirty = true;
    done();
  }

  async #keep(to: bigint): Promise<void> {
    // What is written down is in the log as well, and would be a reason to write down more, for ever.
    if (to <= this.#kept || !(this.#dirty || to - this.#kept >= IDLE_BYTES)) return;
    const { session, settings, acknowledge } = this.#parts;
    this.#dirty = false;
    await keepAcknowledged(session, settings.schema, settings.slot, to);
    this.#kept = to;
    acknowledge(to);
  }
}
