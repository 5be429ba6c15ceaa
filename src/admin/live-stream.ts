import type { Cancel, Clock } from '../coherence/clock.ts';
import type { CacheEvent, Unsubscribe } from '../index.ts';
import type { Operations } from '../operations/index.ts';
import { isStreamed, liveEvent } from './live-event.ts';
import { healthView } from './health-view.ts';
import { Refusal } from './refusal.ts';
import { frame, StreamClient } from './stream-client.ts';
import { summaryOf } from './summary.ts';

/** How often clients are told how it is, in ms. */
const SUMMARY_EVERY = 1_000;
/** Summaries between two heartbeats. */
const BEAT_EVERY = 15;
/** A client that takes nothing for so long, in ms, has gone without a word, or hangs: its place is for another. */
const STUCK = 60_000;

/**
 * What happens, told to all who listen: one listener on the cache and one timer, whoever many there are, and neither while nobody
 * listens. An event is written once for all.
 */
export class LiveStream {
  readonly #operations: Operations;
  readonly #clock: Clock;
  readonly #most: number;
  readonly #clients = new Map<StreamClient, ReadonlySet<string>>();
  #unlisten: Unsubscribe | undefined;
  #cancel: Cancel | undefined;
  #ticks = 0;
  #status: string | undefined;
  #closed = false;

  /** @param most how many clients there may be */
  constructor(operations: Operations, clock: Clock, most: number) {
    this.#operations = operations;
    this.#clock = clock;
    this.#most = most;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /**
   * A stream of what happens from now on, which begins with how it is.
   *
   * @param types of events
   * @throws Refusal 503 where there are too many already
   */
  open(types: ReadonlySet<string>): ReadableStream<Uint8Array> {
    if (this.#closed) throw new Refusal(503, 'CLOSED', 'This instance is closing. Ask another.');
    if (this.#clients.size >= this.#most)
      throw new Refusal(503, 'UNAVAILABLE', `${this.#most} clients listen already. Try again later.`, {
        'retry-after': '10',
      });
    const client = new StreamClient(
      () => this.#clock.monotonic(),
      (it) => this.#leave(it),
    );
    this.#clients.set(client, types);
    if (this.#clients.size === 1) this.#begin();
    if (types.has('health')) client.offer(this.#health());
    if (types.has('summary')) client.offer(this.#summary());
    return client.body;
  }

  /** Ends every stream. */
  close(): void {
    this.#closed = true;
    for (const client of this.#clients.keys()) client.end();
    this.#clients.clear();
    this.#rest();
  }

  #begin(): void {
    const { cache } = this.#operations;
    this.#unlisten = cache.on((event) => this.#hear(event), { except: ['hit', 'read'] });
    this.#status = this.#operations.health().status;
    this.#schedule();
  }

  #rest(): void {
    this.#unlisten?.();
    this.#cancel?.();
    this.#unlisten = this.#cancel = undefined;
  }

  #leave(client: StreamClient): void {
    if (this.#clients.delete(client) && this.#clients.size === 0) this.#rest();
  }

  #hear(event: CacheEvent): void {
    if (isStreamed(event)) this.#tell(event.type, () => frame(event.type, liveEvent(event, this.#clock.wall())));
  }

  /** @param make is asked only where somebody listens */
  #tell(type: string, make: () => Uint8Array): void {
    let made: Uint8Array | undefined;
    for (const [client, types] of this.#clients) if (types.has(type)) client.offer((made ??= make()));
  }

  #schedule(): void {
    this.#cancel = this.#clock.schedule(SUMMARY_EVERY, () => {
      this.#schedule();
      this.#tick();
    });
  }

  #tick(): void {
    this.#tell('summary', () => this.#summary());
    const { status } = this.#operations.health();
    if (status !== this.#status) {
      this.#status = status;
      this.#tell('health', () => this.#health());
    }
    if (++this.#ticks % BEAT_EVERY !== 0) return;
    for (const client of this.#clients.keys()) {
      client.beat();
      if (!client.isStuckFor(STUCK)) continue;
      client.end();
      this.#leave(client);
    }
  }

  #health(): Uint8Array {
    return frame('health', healthView(this.#operations.health()));
  }

  #summary(): Uint8Array {
    return frame('summary', summaryOf(this.#operations));
  }
}
