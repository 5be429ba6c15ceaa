import { Announcements } from '../coherence/announcements.ts';
import { Bans } from '../coherence/bans.ts';
import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import type { Guard, RemovedGuards } from '../coherence/guards.ts';
import { placeOf, plainKey } from '../coherence/key.ts';
import { type Label, sameLabel } from '../coherence/label.ts';
import type { Node } from '../coherence/node.ts';
import type { Position } from '../coherence/position.ts';
import type { ServerAnswer, ServerCheck } from '../coherence/server-check.ts';
import type { Stopwatch } from '../coherence/stopwatch.ts';
import type { Marked } from '../coherence/view.ts';
import { Entry, NEVER } from './entry.ts';
import type { Events } from './events.ts';
import type { Flight, Outcome } from './flight.ts';
import type { LabelSets } from './label-set.ts';
import type { MemoryTier } from './memory-tier.ts';
import { type Migration, type ReadRequest, subjectOf } from './read-request.ts';
import type { ReadSettings } from './read-options.ts';
import type { Found, StoreTier } from './store-tier.ts';
import type { Tallies } from './tally.ts';

export interface StoreLookupParts {
  readonly node: Node;
  readonly memory: MemoryTier | undefined;
  readonly store: StoreTier;
  readonly check: ServerCheck | undefined;
  readonly labels: LabelSets;
  readonly events: Events;
  readonly tallies: Tallies;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  /** Deadline of a server check, in ms. */
  readonly timeout: number;
  /** The next place in the one order of readers and loads of this process. */
  readonly nextOrder: () => number;
  readonly removed: RemovedGuards;
}

/**
 * Looks a value up in the store, and judges it by the rule: against this node's view while it is attached; else, where the
 * log's server can be asked, against both.
 */
export class StoreLookup {
  readonly #parts: StoreLookupParts;

  constructor(parts: StoreLookupParts) {
    this.#parts = parts;
  }

  /** What the store has for a flight, if it may be served; it is promoted to memory. Never rejects. */
  find(flight: Flight, request: ReadRequest): Promise<Outcome | undefined> {
    const own = this.#parts.store
      .find(flight.place)
      .then((found) => (found === undefined ? undefined : this.#judge(flight, request, found)));
    const { migrations } = request;
    return migrations === undefined
      ? own
      : own.then((outcome) => outcome ?? this.#findElder(flight, request, migrations));
  }

  /**
   * What another version of the query has kept, lifted into this one: asked for by one request for all of them, and only
   * where this version has nothing.
   */
  async #findElder(
    flight: Flight,
    request: ReadRequest,
    migrations: readonly Migration[],
  ): Promise<Outcome | undefined> {
    const { store } = this.#parts;
    const all = await Promise.all(migrations.map(({ from }) => store.find(placeOf(flight.key, from))));
    for (const [i, found] of all.entries()) {
      const lifted = found && (await this.#judge(flight, request, found, migrations[i]));
      if (lifted !== undefined) return lifted;
    }
    return undefined;
  }

  async #judge(
    flight: Flight,
    request: ReadRequest,
    found: Found,
    migration?: Migration,
  ): Promise<Outcome | undefined> {
    const marked = this.#markedBy(flight, found);
    const now = this.#parts.clock.wall();
    if (!(now < found.bornAt + found.ttl)) {
      const kept =
        migration === undefined && request.settings.grace > 0 && now < found.bornAt + found.ttl + found.grace;
      if (kept) flight.old = await this.#keepOld(flight, request, found, marked, now - found.bornAt);
      return undefined;
    }
    // Who begins after this has a newer right than the answer: it may be long under way.
    flight.checkOrder = this.#parts.nextOrder();
    const age = Math.max(0, now - found.bornAt);
    // Nothing is awaited that is there: promises are a good part of what a hit costs.
    const judged = this.#uncovered(flight.key, marked);
    const asOf = judged instanceof Promise ? await judged : judged;
    const served = asOf && this.#serve(flight, request, { found, marked, age, asOf, migration });
    const outcome = served instanceof Promise ? await served : served;
    // The store is ruled out: what the flight brings now is yet to be loaded, and new enough for all who join before.
    if (outcome === undefined) flight.checkOrder = 0;
    return outcome;
  }

  /** What was found uncovered, once it is unpacked; a promise where that takes a while. Never throws. */
  #serve(flight: Flight, request: ReadRequest, judged: Judged): Outcome | undefined | Promise<Outcome | undefined> {
    const failed = (error: unknown): undefined => {
      this.#parts.events.emit({ type: 'store-failed', operation: 'get', keys: [flight.key], error });
    };
    try {
      const value = judged.found.value();
      if (!(value instanceof Promise)) return this.#bring(flight, request, judged, value);
      return value.then((it) => this.#bring(flight, request, judged, it), failed);
    } catch (error) {
      return failed(error);
    }
  }

  #bring(
    flight: Flight,
    request: ReadRequest,
    { found, marked, age, asOf, migration }: Judged,
    unpacked: unknown,
  ): Outcome | undefined {
    const { node, stopwatch, events, tallies } = this.#parts;
    // Unpacking may have taken a while; what was applied meanwhile counts for readers that joined meanwhile.
    const own = this.#has('serverBoth') || node.attachedAt(stopwatch.now());
    if (own && node.view.cover(marked, flight.key) !== undefined) return undefined;
    const value = migration === undefined ? unpacked : this.#lift(flight, migration, unpacked);
    if (value === undefined && migration !== undefined) return undefined;
    if (request.compared !== true) request.elsewhere?.();
    const kept = { value, ttl: found.ttl, grace: found.grace, age };
    if (migration !== undefined) this.#settle(flight, request, marked, kept);
    this.#promote(flight, request.settings, this.#liftedAs(marked, migration), kept);
    const tally = request.owner ?? tallies.byKey;
    if (this.#parts.memory !== undefined) tally.promotions++;
    if (request.compared !== true) {
      tally.storeHits++;
      if (events.hitsHeard) events.emit({ type: 'hit', ...subjectOf(request), from: 'store' });
    }
    return { value, from: 'store', marked, turn: 0, asOf, order: flight.checkOrder, age };
  }

  /** The old value in this version's shape; `undefined`, and reported, where it cannot be: then it is loaded. */
  #lift({ key }: Flight, { from, lift }: Migration, old: unknown): unknown {
    const { events } = this.#parts;
    try {
      const value = lift(old);
      if (value !== undefined && events.heard) events.emit({ type: 'migrated', key, from });
      if (value === undefined) events.emit({ type: 'not-migrated', key, from });
      return value;
    } catch (error) {
      events.emit({ type: 'not-migrated', key, from, error });
      return undefined;
    }
  }

  /**
   * Kept in this version too, for whoever comes next. Nothing was loaded: so it keeps the mark, the time of birth, and every
   * label of the old entry, also those that only its loader knew.
   */
  #settle(flight: Flight, request: ReadRequest, marked: Marked, { value, ttl, grace, age }: Unpacked): void {
    const { store, labels } = this.#parts;
    const shared = this.#has('liftedLabels') ? marked.shared : labels.of(flight.key, request.tags()).labels;
    const { epoch, mark } = this.#liftedAs(marked, true);
    const life = { ttl: Math.min(request.settings.storeTtl, ttl), grace: Math.min(request.settings.grace, grace) };
    flight.saved = store.save(flight.place, { value, epoch, mark, labels: [flight, ...shared], age, ...life });
  }

  #liftedAs(marked: Marked, lifted: unknown): Pick<Marked, 'epoch' | 'mark'> {
    if (lifted === undefined || this.#has('liftedMark')) return marked;
    const { view } = this.#parts.node;
    return { epoch: view.epoch, mark: view.applied };
  }

  /** The labels checked are those of the envelope and those of the reader: two releases may tag differently. */
  #markedBy(flight: Flight, found: Found): Marked {
    if (!areThose(found.labels, flight)) {
      const others = found.labels.filter((label) => !sameLabel(label, flight));
      flight.set = this.#has('readerLabels')
        ? this.#parts.labels.unite(flight.set, { labels: others, tags: [] })
        : { labels: others, tags: flight.set.tags };
    }
    return { epoch: found.epoch, mark: found.mark, high: flight.high, low: flight.low, shared: flight.set.labels };
  }

  /** The position at which nothing covers it; `undefined` where that cannot be proved. */
  #uncovered(key: string, marked: Marked): Position | undefined | Promise<Position | undefined> {
    const { node, stopwatch } = this.#parts;
    return node.attachedAt(stopwatch.now()) ? this.#uncoveredHere(key, marked) : this.#uncoveredThere(key, marked);
  }

  #uncoveredHere(key: string, marked: Marked): Position | undefined {
    const { view } = this.#parts.node;
    return view.cover(marked, key) === undefined ? { epoch: view.epoch, number: view.applied } : undefined;
  }

  async #uncoveredThere(key: string, marked: Marked): Promise<Position | undefined> {
    const { node, check } = this.#parts;
    const { view } = node;
    if (check === undefined || (view.pending.size > 0 && this.#has('queueCovers'))) return undefined;
    try {
      // Asked after the envelope was read, because only the envelope knows all labels.
      const asked = this.#has('serverLabels') ? [marked, ...marked.shared] : [marked];
      const answer = await within(
        this.#parts.clock,
        this.#parts.timeout,
        check.check(asked),
        () => new Error('the server check did not answer in time'),
      );
      if (view.cover(marked, key) !== undefined && this.#has('serverBoth')) return undefined;
      if (!(answer.newest.length === asked.length)) return undefined;
      return this.#allows(answer, marked, key) ? { epoch: answer.epoch, number: answer.head } : undefined;
    } catch (error) {
      this.#parts.events.emit({ type: 'store-failed', operation: 'get', keys: [key], error });
      return undefined;
    }
  }

  #allows(answer: ServerAnswer, marked: Marked, key: string): boolean {
    if (answer.provenAt === undefined && this.#has('serverProven')) return false;
    if (!(answer.epoch === marked.epoch) && this.#has('epoch')) return false;
    if (!(marked.mark >= answer.floor)) return false;
    if (!answer.newest.every((newest) => newest <= marked.mark)) return false;
    const bans = new Bans();
    for (const ban of answer.bans) bans.add(ban);
    if (bans.cover(marked.mark, plainKey(key))) return false;
    const open = new Announcements();
    for (const it of answer.announcements) open.open(it);
    return !open.cover([marked, ...marked.shared], plainKey(key));
  }

  /** An expired value that nothing covers, in case its loader fails. */
  async #keepOld(
    flight: Flight,
    { settings }: ReadRequest,
    found: Found,
    marked: Marked,
    age: number,
  ): Promise<Entry | undefined> {
    if ((await this.#uncovered(flight.key, marked)) === undefined) return undefined;
    try {
      const value = await found.value();
      return this.#entry(flight, settings, marked, { value, ttl: found.ttl, grace: found.grace, age });
    } catch (error) {
      this.#parts.events.emit({ type: 'store-failed', operation: 'get', keys: [flight.key], error });
      return undefined;
    }
  }

  /** Into memory, with the mark it had: what is known about it has not become better by reading it. */
  #promote(flight: Flight, settings: ReadSettings, marked: Pick<Marked, 'epoch' | 'mark'>, kept: Unpacked): void {
    const { memory, node } = this.#parts;
    const now = { epoch: node.view.epoch, mark: node.view.applied };
    memory?.put(flight.place, this.#entry(flight, settings, this.#has('promotionMark') ? marked : now, kept));
  }

  #entry(
    flight: Flight,
    settings: ReadSettings,
    { epoch, mark }: Pick<Marked, 'epoch' | 'mark'>,
    kept: Unpacked,
  ): Entry {
    const { node, stopwatch } = this.#parts;
    const now = stopwatch.now();
    return new Entry(
      { value: kept.value, epoch, mark, own: flight, set: flight.set },
      {
        bornAt: now - kept.age,
        ttl: Math.min(settings.memoryTtl, kept.ttl),
        grace: Math.min(settings.grace, kept.grace),
        // The server may have vouched for it, this node's view has not: only an attached node's check dates a tolerance.
        provenAt: node.attachedAt(now) ? node.follower.provenAt(now) : NEVER,
      },
    );
  }

  #has(guard: Guard): boolean {
    return !this.#parts.removed.has(guard);
  }
}

/** Whether labels are those that whoever reads would write: its own, then those that it shares, in this order. */
function areThose(labels: readonly Label[], { high, low, shared }: Flight): boolean {
  const own = labels[0];
  if (own === undefined || own.high !== high || own.low !== low || labels.length !== shared.length + 1) return false;
  for (let i = 0; i < shared.length; i++) if (!sameLabel(labels[i + 1] as Label, shared[i] as Label)) return false;
  return true;
}

/** What was found, where nothing covers it. */
interface Judged {
  readonly found: Found;
  readonly marked: Marked;
  /** Milliseconds since its load began. */
  readonly age: number;
  /** Where it was found uncovered. */
  readonly asOf: Position;
  /** What lifts it, where another version has kept it. */
  readonly migration: Migration | undefined;
}

interface Unpacked {
  readonly value: unknown;
  readonly ttl: number;
  readonly grace: number;
  /** Milliseconds since its load began. */
  readonly age: number;
}
