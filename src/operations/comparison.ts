import { AsyncResource } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { canonicalJson } from '../coherence/key.ts';
import type { Clock, Sample } from '../index.ts';
import { LEVELS } from './nines.ts';
import type { SampleOutcome } from './sample-counts.ts';

/** One load that a sample was compared with. */
export interface Look {
  /** Milliseconds after it was served. */
  readonly after: number;
  readonly agrees: boolean;
  /** Of what was loaded; `undefined` where it has no canonical JSON. */
  readonly hash: string | undefined;
}

/** By how much a timer may be late before what it finds counts as found later. */
const LATE = 1.2;

/**
 * What was served, compared with its source again and again.
 *
 * A difference alone says nothing: 1. Something is served. 2. A change is committed. 3. The source is asked, and has the change. 4. Its
 * record arrives. What was served was right when it was served. So what differs waits for a record that covers it; and only where none
 * has come by the last look, and the source agreed with itself meanwhile, somebody was served wrongly.
 */
export class Comparison {
  readonly sample: Sample;
  /** When it was served, in milliseconds since 1970. */
  readonly servedAt: number;
  /** Of what was served, when it was served. */
  readonly hash: string | undefined;
  readonly looks: Look[] = [];
  /** What the source had at last. */
  loaded: unknown;
  /** Nobody can say any more whether a record covers it. */
  unclear = false;
  readonly #clock: Clock;
  readonly #load: () => Promise<unknown>;
  #coveredAfter: number | undefined;
  /** Two loads, one after the other, have brought the same. */
  #steady = false;
  #loadedAt = 0;

  /** Made where it is served, before its reader has it. */
  constructor(sample: Sample, clock: Clock) {
    this.sample = sample;
    this.servedAt = clock.wall();
    this.hash = hashOf(sample.value);
    this.#clock = clock;
    // What belongs to the request, such as who asks, has to be the same for each load of it.
    this.#load = AsyncResource.bind(() => sample.load());
  }

  /** Milliseconds since it was served. */
  get elapsed(): number {
    return this.#clock.monotonic() - this.sample.at;
  }

  /** What it has come to without another look. */
  get known(): SampleOutcome | undefined {
    if (this.#coveredAfter !== undefined) return coveredWithin(this.#coveredAfter);
    return this.unclear ? 'unknown' : undefined;
  }

  /** Looks whether a record covers it by now. @param due where a timer asks: when it was to ask, in ms after it was served */
  glance(due = 0): void {
    const cover = this.#coveredAfter === undefined ? this.sample.cover() : undefined;
    if (cover === 'epoch' || cover === 'young') this.unclear = true;
    // What a strict write withholds, it has not changed yet.
    else if (cover !== undefined && cover !== 'announcement')
      this.#coveredAfter = this.elapsed <= due * LATE ? due : this.elapsed;
  }

  /**
   * Asks the source.
   *
   * @returns `undefined` where it differs, and has to be looked at again
   * @throws what the loader or the query's `equals` throws
   */
  async look(): Promise<SampleOutcome | undefined> {
    if (this.known !== undefined) return this.known;
    const loaded = await this.#load();
    const { sample, looks } = this;
    const agrees = sample.agrees(loaded);
    const first = looks.length === 0;
    if (!first && sample.alike(this.loaded, loaded)) this.#steady = true;
    this.loaded = loaded;
    this.#loadedAt = this.#clock.monotonic();
    looks.push({ after: this.elapsed, agrees, hash: hashOf(loaded) });
    if (agrees && first) return 'same';
    this.glance();
    return this.known ?? (agrees ? 'unstable' : this.#mutated());
  }

  /**
   * The end, after the last look.
   *
   * @param provenAge as of now, in ms: what was in the log at the last look must be here
   */
  conclude(attached: boolean, provenAge: number): SampleOutcome {
    this.glance();
    if (this.known !== undefined) return this.known;
    // A strict write withholds it, and its end is not known.
    if (this.sample.cover() !== undefined) return 'unknown';
    const proven = attached && provenAge <= this.#clock.monotonic() - this.#loadedAt;
    if (!proven) return 'unknown';
    return this.#steady ? 'violations' : 'unstable';
  }

  #mutated(): 'mutated' | undefined {
    return hashOf(this.sample.value) === this.hash ? undefined : 'mutated';
  }
}

function coveredWithin(ms: number): SampleOutcome {
  if (ms <= LEVELS[0]) return 'within100ms';
  if (ms <= LEVELS[1]) return 'within1s';
  return ms <= LEVELS[2] ? 'within10s' : 'later';
}

/** 16 hexadecimal digits; `undefined` for what has no canonical JSON. */
export function hashOf(value: unknown): string | undefined {
  try {
    return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);
  } catch {
    return undefined;
  }
}
