import { jsonText } from './json.ts';

/** Most frames, and bytes of them, that wait for one client. */
const MOST_FRAMES = 256;
const MOST_BYTES = 256 * 1_024;

const encoder = new TextEncoder();

/** One message as server-sent events write it. */
export function frame(type: string, data: unknown): Uint8Array {
  return encoder.encode(`event: ${type}\ndata: ${jsonText(data)}\n\n`);
}

/** A line that no client is told of: whoever has gone is noticed by it. */
const HEARTBEAT: Uint8Array = encoder.encode(':\n\n');

/**
 * Somebody who listens. What waits for a slow one is bounded: what has no room is dropped, and the client is told how much, in the
 * place where it would have stood.
 */
export class StreamClient {
  readonly body: ReadableStream<Uint8Array>;
  readonly #queue: Uint8Array[] = [];
  #bytes = 0;
  #dropped = 0;
  /** Set while the client has room and nothing waits. */
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #made!: ReadableStreamDefaultController<Uint8Array>;
  #ended = false;
  /** Since when what waits has waited, with nothing taken meanwhile. */
  #since = 0;
  readonly #now: () => number;

  /** @param left called once the client has gone by itself */
  constructor(now: () => number, left: (client: StreamClient) => void) {
    this.#now = now;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#made = controller),
        pull: (controller) => this.#pull(controller),
        cancel: () => {
          this.#ended = true;
          left(this);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** @param bytes one frame, which may be shared with other clients */
  offer(bytes: Uint8Array): void {
    if (this.#ended) return;
    if (!this.#hasRoom(bytes)) this.#dropped++;
    else {
      this.#tellDropped();
      this.#push(bytes);
    }
  }

  /** Not where something waits already: that tells as much. */
  beat(): void {
    if (this.#queue.length === 0) this.offer(HEARTBEAT);
  }

  /** Whether something waits that was not taken for so long, in ms. */
  isStuckFor(ms: number): boolean {
    return this.#queue.length > 0 && this.#now() - this.#since >= ms;
  }

  /** The client gets the end of the stream, after at most what waits in its connection. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue.length = 0;
    this.#made.close();
  }

  #hasRoom(bytes: Uint8Array): boolean {
    return this.#queue.length === 0 || (this.#queue.length < MOST_FRAMES && this.#bytes + bytes.length <= MOST_BYTES);
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const dropped = frame('dropped', { dropped: this.#dropped });
    this.#dropped = 0;
    this.#push(dropped);
  }

  #push(bytes: Uint8Array): void {
    if (this.#controller !== undefined && this.#queue.length === 0) return this.#give(this.#controller, bytes);
    if (this.#queue.length === 0) this.#since = this.#now();
    this.#queue.push(bytes);
    this.#bytes += bytes.length;
  }

  #pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#since = this.#now();
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#controller = controller;
      return;
    }
    this.#bytes -= next.length;
    this.#give(controller, next);
    if (this.#queue.length === 0) this.#tellDropped();
  }

  /** Until the client asks again it has no room: at most one frame waits outside of the queue. */
  #give(controller: ReadableStreamDefaultController<Uint8Array>, bytes: Uint8Array): void {
    this.#controller = undefined;
    controller.enqueue(bytes);
  }
}
