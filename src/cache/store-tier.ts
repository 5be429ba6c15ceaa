import type { Clock } from '../coherence/clock.ts';
import { Deadlines } from '../coherence/deadline.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { keyOf } from '../coherence/key.ts';
import type { Label } from '../coherence/label.ts';
import type { Target } from '../coherence/target.ts';
import type { Breaker } from './breaker.ts';
import { type Compression, compress, decompress, isCompressible } from './compression.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope } from './envelope.ts';
import type { Events } from './events.ts';
import type { Serializer } from './serializer.ts';
import type { Store, StoredEntry } from './store.ts';
import type { Traces } from './traces.ts';

export interface StoreTierParts {
  readonly store: Store;
  readonly breaker: Breaker;
  readonly clock: Clock;
  readonly events: Events;
  readonly traces: Traces;
  /** Writes with the first; reads whatever any of them wrote. */
  readonly serializers: readonly Serializer[];
  readonly compression: Compression | undefined;
  /** Deadline of one request, in ms. */
  readonly timeout: number;
}

/** An entry as found in the store, its value still packed. */
export interface Found extends Omit<Envelope, 'payload' | 'serializer' | 'compressed'> {
  /** A promise where it was compressed; throws, or rejects with, `INVALID_ENVELOPE` where the bytes cannot be read. */
  value(): unknown;
}

/** What is kept of a value. */
export interface Kept {
  readonly value: unknown;
  readonly epoch: string;
  readonly mark: number;
  readonly labels: readonly Label[];
  /** Milliseconds since its load began. */
  readonly age: number;
  readonly ttl: number;
  readonly grace: number;
}

/**
 * Entries in the shared store (L2). Whatever goes wrong here is reported, and costs a miss: reads that arrive in the same
 * turn share one request, writes are not waited for.
 */
export class StoreTier {
  readonly #parts: StoreTierParts;
  #wanted: { keys: string[]; answer: Promise<readonly (Uint8Array | undefined)[]> } | undefined;
  #batch: { entries: StoredEntry[]; errors: Promise<readonly (Error | undefined)[]> } | undefined;
  readonly #deadlines: Deadlines;
  /** Writes under way, and who waits until there are none. */
  #writing = 0;
  #idle: (() => void)[] = [];

  constructor(parts: StoreTierParts) {
    this.#parts = parts;
    this.#deadlines = new Deadlines(parts.clock, parts.timeout);
  }

  /** The entry in a place; `undefined` where there is none, or none that can be read. Never rejects. */
  async find(place: string): Promise<Found | undefined> {
    this.#wanted ??= this.#ask();
    const { keys, answer } = this.#wanted;
    const index = keys.push(place) - 1;
    try {
      const found = (await answer)[index];
      return found === undefined ? undefined : this.#unpack(decodeEnvelope(found));
    } catch (error) {
      this.#failed('get', [place], error);
      return undefined;
    }
  }

  /** Keeps an entry; readers do not wait for it. Resolves when it is there, or has failed; never rejects. */
  save(place: string, kept: Kept): Promise<void> {
    this.#writing++;
    const saved = (): void => {
      if (--this.#writing === 0) for (const resolve of this.#idle.splice(0)) resolve();
    };
    return this.#save(place, kept).then(saved, (error: unknown) => {
      this.#failed('set', [place], error);
      saved();
    });
  }

  /**
   * Frees what targets cover, where the store keeps track of it; returns how many entries there were. It takes as long as there
   * are: each of its requests has a deadline, the whole has none. Never rejects.
   */
  async reclaim(targets: readonly Target[]): Promise<number | undefined> {
    const { store, breaker } = this.#parts;
    try {
      return await breaker.run(async () => store.reclaim?.(targets));
    } catch (error) {
      this.#failed('reclaim', [], error);
      return undefined;
    }
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    if (this.#writing > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #ask(): { keys: string[]; answer: Promise<readonly (Uint8Array | undefined)[]> } {
    const { store, breaker, traces } = this.#parts;
    const keys: string[] = [];
    const answer = Promise.resolve().then(() => {
      this.#wanted = undefined;
      return traces.span({ type: 'store-get', keys, system: store.system }, () =>
        breaker.run(() => this.#inTime(store.getMany(keys))),
      );
    });
    return { keys, answer };
  }

  #save(place: string, kept: Kept): Promise<unknown> {
    const { clock, serializers, compression } = this.#parts;
    try {
      const bornAt = Math.max(0, clock.wall() - kept.age);
      const packed = (serializers[0] as Serializer).encode(kept.value);
      // Nothing is awaited that is there: most values are small.
      if (compression === undefined || !isCompressible(packed, compression))
        return this.#set(place, kept, bornAt, packed, false);
      return compress(packed).then((small) => this.#set(place, kept, bornAt, small ?? packed, small !== undefined));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #set(place: string, kept: Kept, bornAt: number, payload: Uint8Array, compressed: boolean): Promise<unknown> {
    const { store, events, clock, traces, serializers } = this.#parts;
    const { epoch, mark, labels, ttl, grace } = kept;
    const { id } = serializers[0] as Serializer;
    const bytes = encodeEnvelope({ epoch, mark, labels, bornAt, ttl, grace, serializer: id, compressed, payload });
    const entry = { key: place, bytes, ttl: ttl + grace, labels };
    const about = { key: keyOf(place), bytes: bytes.length };
    const set = traces.on
      ? traces.span({ type: 'store-set', ...about, system: store.system }, () => this.#put(entry))
      : this.#put(entry);
    if (!events.heard) return set;
    const since = clock.monotonic();
    return set.then(() => events.emit({ type: 'stored', ...about, ms: clock.monotonic() - since }));
  }

  /** Entries of one turn are written by one request, where the store can do that. */
  #put(entry: StoredEntry): Promise<unknown> {
    const { store, breaker } = this.#parts;
    const { key, bytes, ttl, labels } = entry;
    if (store.setMany === undefined) return breaker.run(() => this.#inTime(store.set(key, bytes, ttl, labels)));
    const batch = (this.#batch ??= this.#begin());
    const index = batch.entries.push(entry) - 1;
    return batch.errors.then((errors) => (errors[index] === undefined ? undefined : Promise.reject(errors[index])));
  }

  #begin(): { entries: StoredEntry[]; errors: Promise<readonly (Error | undefined)[]> } {
    const { store, breaker } = this.#parts;
    const entries: StoredEntry[] = [];
    const errors = Promise.resolve().then(() => {
      this.#batch = undefined;
      return breaker.run(() => this.#inTime((store as Required<Store>).setMany(entries)));
    });
    return { entries, errors };
  }

  #unpack(envelope: Envelope): Found {
    const { serializers } = this.#parts;
    const [writer] = serializers;
    const serializer =
      writer?.id === envelope.serializer ? writer : serializers.find((it) => it.id === envelope.serializer);
    const { epoch, mark, labels, bornAt, ttl, grace, payload, compressed } = envelope;
    // What the rule needs can be read all the same.
    if (serializer === undefined)
      return { epoch, mark, labels, bornAt, ttl, grace, value: () => unreadable(envelope.serializer) };
    const value = compressed
      ? async (): Promise<unknown> => serializer.decode(await decompress(payload))
      : (): unknown => serializer.decode(payload);
    return { epoch, mark, labels, bornAt, ttl, grace, value };
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    return this.#deadlines.within(work, () => new Error(`the store did not answer within ${this.#parts.timeout} ms`));
  }

  #failed(operation: 'get' | 'set' | 'reclaim', places: readonly string[], error: unknown): void {
    this.#parts.events.emit({ type: 'store-failed', operation, keys: places.map(keyOf), error });
  }
}

function unreadable(serializer: number): never {
  throw new TidemarkError(
    'INVALID_ENVELOPE',
    `A stored value was written by serializer ${shorten(serializer)}, which this cache does not have. Give every process that shares the store the same \`serializer\`.`,
  );
}
