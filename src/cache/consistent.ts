import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import { TidemarkError } from '../coherence/errors.ts';
import type { Guard, RemovedGuards } from '../coherence/guards.ts';
import type { Node } from '../coherence/node.ts';
import type { Position } from '../coherence/position.ts';
import type { Stopwatch } from '../coherence/stopwatch.ts';
import type { ReadPath, Served } from './read-path.ts';
import type { ReadRequest } from './read-request.ts';

export interface ConsistentParts {
  readonly node: Node;
  readonly reads: ReadPath;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  readonly removed: RemovedGuards;
}

/** Pause before asking again a log that could not prove its head, in ms. */
const PAUSE = 20;

/**
 * Several reads that are all valid at one position.
 *
 * 1. Read what is missing.
 * 2. Read the head of the log: after the last load, so that no value is newer than the position.
 * 3. Wait until this node has applied the head, in the head's epoch.
 * 4. Check every value again. What is covered is missing: start over.
 */
export class Consistent {
  readonly #parts: ConsistentParts;

  constructor(parts: ConsistentParts) {
    this.#parts = parts;
  }

  /** @throws TidemarkError `NOT_CONSISTENT` when no common position was found in `ms` milliseconds */
  read(requests: readonly ReadRequest[], ms: number): Promise<unknown[]> {
    const { clock, stopwatch } = this.#parts;
    const search: Search = {
      ms,
      until: stopwatch.now() + ms,
      obstacle: 'not every value was loaded by then',
      rounds: 0,
    };
    return within(clock, ms, this.#search(requests, search), () => tooLate(search));
  }

  async #search(requests: readonly ReadRequest[], search: Search): Promise<unknown[]> {
    const { node, reads, stopwatch } = this.#parts;
    const early = this.#has('consistentHeadAfter') ? undefined : await this.#head();
    const values: (Served | undefined)[] = requests.map(() => undefined);
    for (;;) {
      await Promise.all(
        requests.map(async (request, i) => {
          values[i] ??= await reads.read({ ...request, settings: { ...request.settings, grace: 0, maxStaleness: 0 } });
        }),
      );
      if (!this.#has('consistentHead')) return values.map((it) => it?.value);
      const head = early ?? (await this.#head());
      const reached = head !== undefined && (await this.#reached(head, search.until - stopwatch.now()));
      if (node.follower.state === 'stopped') throw closed();
      const withheld = reached ? this.#recheck(requests, values) : [];
      if (reached && !values.includes(undefined)) return values.map((it) => it?.value);
      search.obstacle =
        head === undefined ? 'the log could not be asked for its head' : 'records kept covering what had been read';
      if (withheld.length > 0) search.obstacle = 'a strict write is open, or the epoch is too young for strict reads';
      if (stopwatch.now() >= search.until) throw tooLate(search);
      // Without progress of the log, trying again at once would only keep the process busy. Where loaders cover what they
      // load, the rest of the process has to have its turn.
      if (!reached || ++search.rounds > 3) await this.#pause();
      await this.#released(withheld, search);
    }
  }

  /** Forgets what is covered, and returns what strict writes withhold of it: no load will help before that has ended. */
  #recheck(requests: readonly ReadRequest[], values: (Served | undefined)[]): Withheld[] {
    if (!this.#has('consistentRecheck')) return [];
    const { view } = this.#parts.node;
    const withheld: Withheld[] = [];
    requests.forEach(({ key }, i) => {
      const { marked, turn } = values[i] as Served;
      if (view.cover(marked, key, turn) === undefined) return;
      values[i] = undefined;
      if (view.withholds(marked, key)) withheld.push({ marked, key });
    });
    return withheld;
  }

  async #released(withheld: readonly Withheld[], { until }: Search): Promise<void> {
    const { node, stopwatch } = this.#parts;
    const isWithheld = (): boolean => withheld.some(({ marked, key }) => node.view.withholds(marked, key));
    while (isWithheld() && stopwatch.now() < until && node.follower.state !== 'stopped') await this.#pause();
  }

  async #head(): Promise<Position | undefined> {
    try {
      return await this.#parts.node.follower.head();
    } catch {
      return undefined; // the log does not answer: the follower reports it
    }
  }

  async #reached(head: Position, left: number): Promise<boolean> {
    const { node } = this.#parts;
    if (!this.#has('consistentWait')) return true;
    if (!this.#has('consistentEpoch') && node.view.applied >= head.number) return true;
    return (await node.follower.reach(head, left, true)) === 'passed' || !this.#has('consistentEpoch');
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.schedule(PAUSE, resolve));
  }

  #has(guard: Guard): boolean {
    return !this.#parts.removed.has(guard);
  }
}

function closed(): TidemarkError {
  return new TidemarkError(
    'CLOSED',
    'The cache was closed while consistent() was under way. Close it after its readers are done.',
  );
}

/** A value that a strict write withholds. */
interface Withheld {
  readonly marked: Served['marked'];
  readonly key: string;
}

/** A search, and what stands between it and its values, as its error will say it. */
interface Search {
  readonly ms: number;
  readonly until: number;
  obstacle: string;
  rounds: number;
}

function tooLate({ ms, obstacle }: Search): TidemarkError {
  return new TidemarkError(
    'NOT_CONSISTENT',
    `No position was found in ${ms} ms at which all values are valid: ${obstacle}. Read fewer values together, or raise \`timeout\`.`,
  );
}
