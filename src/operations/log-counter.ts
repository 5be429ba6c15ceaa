import type { NodeEvent } from '../index.ts';
import { Histogram } from './histogram.ts';
import type { LogMetrics } from './metrics.ts';

/** Counts what passes between this node and the log. */
export class LogCounter {
  readonly publish: Histogram = new Histogram();
  readonly delay: Histogram = new Histogram();
  readonly #node: string;
  readonly #counts = { sent: 0, applied: 0, received: 0, detachments: 0, epochs: 0, resyncs: 0 };

  /** @param node the origin of this node's records */
  constructor(node: string) {
    this.#node = node;
  }

  /** @param wall milliseconds since 1970 */
  count(event: NodeEvent, wall: number): void {
    switch (event.type) {
      case 'sent':
        this.#counts.sent++;
        return this.publish.record(wall - event.draft.time);
      case 'applied':
        this.#counts.applied++;
        if (event.record.origin === this.#node) return;
        this.#counts.received++;
        // Clocks of two machines: what seems to come from the future took no time that anybody could tell.
        return this.delay.record(Math.max(0, wall - event.record.time));
      case 'detached':
        if (event.state !== 'stopped') this.#counts.detachments++;
        return;
      case 'epoch':
        if (event.before !== '') this.#counts.epochs++;
        return;
      case 'resync':
        this.#counts.resyncs++;
        return;
      case 'attached':
      case 'queued':
      case 'overflowed':
      case 'options-differ':
        return;
      default:
        event satisfies never;
    }
  }

  metrics(): Omit<LogMetrics, 'attached' | 'position' | 'provenAge' | 'queued' | 'tableFill'> {
    return { ...this.#counts, publish: this.publish.latency, delay: this.delay.latency };
  }
}
