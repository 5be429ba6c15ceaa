import type { Unsubscribe } from '../coherence/log.ts';
import type { Node } from '../coherence/node.ts';
import { formatToken, type Token } from '../coherence/position.ts';
import type { Cover, Marked } from '../coherence/view.ts';
import type { From } from './events.ts';
import { type InspectedLabel, labelsOf } from './inspected-label.ts';
import type { Served } from './read-path.ts';
import type { ReadRequest } from './read-request.ts';
import { isSameValue } from './same-value.ts';

/** What somebody was served, and how it can be judged later. */
export interface Sample {
  readonly key: string;
  /** The path of the query; `undefined` for what is read by key. */
  readonly query: string | undefined;
  readonly from: From;
  /** It was old, and the reader tolerates it. */
  readonly stale: boolean;
  readonly value: unknown;
  /** The log position that its loader started from; `undefined` where the log was never reached. */
  readonly mark: Token | undefined;
  /** Milliseconds since its load began, when it was served. */
  readonly age: number;
  /** When it was served, on the cache's monotonic clock, in ms. */
  readonly at: number;
  /**
   * Asks the source: past the cache, within the query's time limit, sharing and keeping nothing. What the loader itself reads through
   * the cache, it reads through the cache.
   *
   * @throws TidemarkError `CLOSED`, and what the loader throws
   */
  load(): Promise<unknown>;
  /** Whether more than half of the places for loads of this process are taken: who samples should not add to them. */
  busy(): boolean;
  /** Whether what was served is as good as this: by the query's `equals`, else whether the two are equal. @throws what `equals` throws */
  agrees(loaded: unknown): boolean;
  /** The same, of any two values. */
  alike(one: unknown, other: unknown): boolean;
  /** Why the rule would refuse it by now, as far as this node knows the log. */
  cover(): Cover | undefined;
  /** What it depends on, and the newest record that covers each, as far as this node knows the log. */
  labels(): readonly InspectedLabel[];
}

/** Hears of reads that were served: of all that memory did not answer, and of a part of those that it did. */
export type SampleListener = (sample: Sample) => void;

/** Which samples somebody takes. */
export interface SampleOptions {
  /**
   * Asked before a sample is made, which costs more than to ask; without it all are made.
   *
   * @param query its path; `undefined` for what is read by key
   * @param at now, on the cache's monotonic clock, in ms
   */
  readonly wants?: (query: string | undefined, at: number) => boolean;
}

export interface SampleParts {
  readonly node: Node;
  /** A load for nobody's cache. */
  readonly past: (request: ReadRequest) => Promise<unknown>;
  readonly busy: () => boolean;
}

/**
 * A sample is made on the way of reads: it computes nothing before it is asked. An entry in memory may be given further labels by
 * later readers, and keeps its mark: what counts is what it had, and has.
 */
export class ServedSample implements Sample {
  readonly value: unknown;
  readonly from: From;
  readonly stale: boolean;
  readonly age: number;
  readonly at: number;
  readonly key: string;
  readonly query: string | undefined;
  readonly #request: ReadRequest;
  readonly #marked: Marked;
  readonly #turn: number;
  readonly #parts: SampleParts;

  /** @param at when it was served, on the cache's monotonic clock, in ms */
  constructor(request: ReadRequest, { value, from, stale, marked, turn, age }: Served, at: number, parts: SampleParts) {
    this.value = value;
    this.from = from;
    this.stale = stale;
    this.age = age;
    this.at = at;
    this.key = request.key;
    this.query = request.owner?.query;
    this.#request = request;
    this.#marked = marked;
    this.#turn = turn;
    this.#parts = parts;
  }

  get mark(): Token | undefined {
    const { epoch, mark } = this.#marked;
    return epoch === '' ? undefined : formatToken({ epoch, number: mark });
  }

  load(): Promise<unknown> {
    const request = this.#request;
    // The batch that it was read in is over.
    return this.#parts.past(request.alone === undefined ? request : { ...request, load: request.alone });
  }

  busy(): boolean {
    return this.#parts.busy();
  }

  agrees(loaded: unknown): boolean {
    return this.alike(this.value, loaded);
  }

  alike(one: unknown, other: unknown): boolean {
    return (this.#request.equals ?? isSameValue)(one, other);
  }

  cover(): Cover | undefined {
    return this.#parts.node.view.cover(this.#marked, this.key, this.#turn);
  }

  labels(): readonly InspectedLabel[] {
    return labelsOf(this.#parts.node.view, this.key, this.#marked, this.#request.tags());
  }
}

/** Who hears of samples. For nobody none is made. */
export class Samples {
  /** Replaced, never changed: a listener may end itself. */
  #takers: readonly { readonly listener: SampleListener; readonly wants: SampleOptions['wants'] }[] = [];

  /** Whether anybody hears of any. */
  get heard(): boolean {
    return this.#takers.length > 0;
  }

  add(listener: SampleListener, { wants }: SampleOptions): Unsubscribe {
    const taker = { listener, wants };
    this.#takers = [...this.#takers, taker];
    return () => {
      this.#takers = this.#takers.filter((it) => it !== taker);
    };
  }

  /** @throws what a listener throws */
  offer(query: string | undefined, at: number, make: () => Sample): void {
    let sample: Sample | undefined;
    for (const { listener, wants } of this.#takers)
      if (wants === undefined || wants(query, at)) listener((sample ??= make()));
  }
}
