import type { Cancel, Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import type { Logger } from '../coherence/logger.ts';
import type { Reports } from './reports.ts';

export interface ReportPublisherParts {
  readonly reports: Reports;
  /** Whose report it is. */
  readonly node: string;
  /** How often it is replaced, in ms. */
  readonly every: number;
  /** How long the last one stays of a process that was killed, in ms; default three times as long. */
  readonly ttl?: number;
  readonly clock: Clock;
  /** Numbers in [0, 1): the nodes of a fleet do not publish in step. */
  readonly random: () => number;
  readonly logger: Logger | undefined;
  readonly write: () => string;
}

/** How long a publication may take, in ms. */
const PATIENCE = 2_000;
/** Whoever has not replaced its report for so many times as long as it should is silent. */
export const LIVES = 3;
/** Most that a pause is shortened by, as a share. */
const JITTER = 0.1;

/** Publishes a node's report again and again. One that cannot be published harms nobody: it is said once, and tried again. */
export class ReportPublisher {
  readonly #parts: ReportPublisherParts;
  #cancel: Cancel | undefined;
  #published: Promise<void> = Promise.resolve();
  #failing = false;
  #closed = false;

  constructor(parts: ReportPublisherParts) {
    this.#parts = parts;
  }

  /** Publishes now, and from now on. */
  start(): void {
    this.#published = this.#publish();
  }

  /** Withdraws the report, as far as the server can be reached. Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel?.();
    // What is under way must not come after the withdrawal.
    await this.#published;
    const { reports, node } = this.#parts;
    await this.#timely(() => reports.withdraw(node)).catch(() => {});
  }

  async #publish(): Promise<void> {
    const { reports, node, every, ttl = LIVES * every, write } = this.#parts;
    try {
      await this.#timely(() => reports.publish(node, write(), ttl));
      this.#failing = false;
    } catch (error) {
      this.#failed(error);
    }
    if (!this.#closed) this.#again();
  }

  #again(): void {
    const { clock, every, random } = this.#parts;
    this.#cancel = clock.schedule(every * (1 - JITTER * random()), () => {
      this.#published = this.#publish();
    });
  }

  async #timely(work: () => Promise<void>): Promise<void> {
    const late = (): Error => new Error(`no answer within ${PATIENCE} ms`);
    await within(this.#parts.clock, PATIENCE, (async () => work())(), late);
  }

  #failed(error: unknown): void {
    const { logger, node } = this.#parts;
    if (this.#failing || this.#closed) return;
    this.#failing = true;
    const why = error instanceof Error ? error.message : String(error);
    logger?.warn(
      { event: 'cache_report', node, err: error },
      `cache_report: the report of this node is not published: ${why}`,
    );
  }
}
