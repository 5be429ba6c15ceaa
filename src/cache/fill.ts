import type { Clock } from '../coherence/clock.ts';
import { Deadlines, within } from '../coherence/deadline.ts';
import { TidemarkError, shorten } from '../coherence/errors.ts';
import type { Guard, RemovedGuards } from '../coherence/guards.ts';
import { keyLabel } from '../coherence/label.ts';
import type { Node } from '../coherence/node.ts';
import type { ServerCheck } from '../coherence/server-check.ts';
import type { Stopwatch } from '../coherence/stopwatch.ts';
import type { Budget } from './budget.ts';
import { Entry } from './entry.ts';
import type { Events } from './events.ts';
import { FleetLease } from './fleet-lease.ts';
import { Flight, type Outcome } from './flight.ts';
import type { LabelSets } from './label-set.ts';
import { type Lease, noLease } from './lease.ts';
import { LoadDecisions } from './load-context.ts';
import type { MemoryTier } from './memory-tier.ts';
import { type ReadRequest, subjectOf } from './read-request.ts';
import type { ReadSettings } from './read-options.ts';
import type { Scopes } from './scope.ts';
import { StoreLookup } from './store-lookup.ts';
import type { StoreTier } from './store-tier.ts';
import type { Tallies } from './tally.ts';
import type { Traces } from './traces.ts';

export interface FillParts {
  readonly node: Node;
  readonly memory: MemoryTier | undefined;
  readonly store: StoreTier | undefined;
  readonly check: ServerCheck | undefined;
  readonly lease: Lease;
  readonly budget: Budget;
  readonly labels: LabelSets;
  readonly scopes: Scopes;
  readonly events: Events;
  readonly tallies: Tallies;
  readonly traces: Traces;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  readonly random: () => number;
  /** Deadline of one request to the store, the lease or the server check, in ms. */
  readonly timeout: number;
  readonly removed: RemovedGuards;
}

/** How a flight may find its value. */
export interface FillMode {
  /** Do not look into the store first. */
  readonly loadOnly: boolean;
  /** The position that a reader asks for, where the node has not reached it: the replica may not have it either. */
  readonly unreached: boolean;
  /** Of a load whose reader is not to notice the cache: asked when it is there, whether it is kept. */
  readonly keeps?: () => boolean;
}

/** Most lengths of deadlines that are kept. */
const MOST_LENGTHS = 16;

/**
 * How a value that is not in memory is obtained: from the store, or from another process that loads it now, or by its
 * loader; and how it is kept.
 */
export class Fill {
  readonly #parts: FillParts;
  #order = 0;
  readonly #loading = new Set<LoadDecisions>();
  #closed = false;
  /** By their length: most loads of a cache have the same time. */
  readonly #deadlines = new Map<number, Deadlines>();

  readonly #lookup: StoreLookup | undefined;
  readonly #lease: FleetLease | undefined;

  constructor(parts: FillParts) {
    this.#parts = parts;
    const { store, lease } = parts;
    const nextOrder = (): number => this.nextOrder();
    this.#lookup = store === undefined ? undefined : new StoreLookup({ ...parts, store, nextOrder });
    const isWithheld = (flight: Flight): boolean => this.#isWithheld(flight);
    this.#lease = lease === noLease ? undefined : new FleetLease({ ...parts, lookup: this.#lookup, isWithheld });
  }

  /** The next place in the one order of readers and loads of this process. */
  nextOrder(): number {
    return ++this.#order;
  }

  /** Aborts the loads that are under way; what they bring is returned, and not kept. */
  close(): void {
    this.#closed = true;
    const reason = new TidemarkError('CLOSED', 'The cache was closed while this load was under way.');
    for (const ctx of this.#loading) ctx.abort(reason);
  }

  start(request: ReadRequest, mode: FillMode): Flight {
    const flight = this.#flight(request, mode.unreached);
    flight.outcome = this.#run(flight, request, mode);
    return flight;
  }

  /** What the store has under a key, if it may be served; nothing is loaded. */
  async find(request: ReadRequest): Promise<Outcome | undefined> {
    return this.#lookup?.find(this.#flight(request, false), request);
  }

  /** What it depends on follows from its key: an invalidation reaches every version. */
  #flight({ key, place, tags }: ReadRequest, unreached: boolean): Flight {
    const { labels, stopwatch } = this.#parts;
    const named = this.#has('versionLabels') ? key : place;
    return new Flight(key, place, keyLabel(named), labels.of(named, tags()), unreached, stopwatch.now());
  }

  /** Past the cache: the loader alone, within its time limit; nothing is looked up, shared or kept. */
  async past(request: ReadRequest): Promise<unknown> {
    const ctx = new LoadDecisions({ key: request.key, previous: undefined, lsn: 'unknown' });
    this.#loading.add(ctx);
    try {
      const asked = this.#ask(request, ctx, () => request.load(ctx));
      return asked instanceof Promise ? ((await asked) as unknown) : asked;
    } finally {
      this.#loading.delete(ctx);
    }
  }

  /** The loader alone, as {@link past}, but under a mark: what it brings is kept, if `keeps` says so when it is there. */
  apart(request: ReadRequest, keeps: () => boolean): Promise<Outcome> {
    const { settings, scope } = request;
    // Nobody waits for this node to reach what the reader knows of: the primary has it.
    const unreached = settings.atLeast !== undefined || scope?.session !== undefined || (scope?.since ?? 0) > 0;
    return this.#load(this.#flight(request, unreached), request, { loadOnly: true, unreached, keeps });
  }

  async #run(flight: Flight, request: ReadRequest, mode: FillMode): Promise<Outcome> {
    if (!mode.loadOnly && this.#lookup !== undefined) {
      const stored = await this.#lookup.find(flight, request);
      if (stored !== undefined) return stored;
    }
    // What strict writes withhold is loaded by each who asks: to wait for another's load would be to wait for nothing.
    if (this.#lease === undefined || mode.unreached || this.#isWithheld(flight))
      return await this.#inBudget(flight, request, mode);
    const granted = await this.#lease.take(flight, request);
    if (!('granted' in granted)) return granted;
    try {
      return await this.#inBudget(flight, request, mode);
    } finally {
      if (granted.granted) void this.#lease.release(flight, granted);
    }
  }

  // --- the loader

  async #inBudget(flight: Flight, request: ReadRequest, mode: FillMode): Promise<Outcome> {
    if (request.board !== undefined) {
      await request.board();
      return await this.#load(flight, request, mode);
    }
    const waiting = this.#parts.budget.take(request.settings.timeout);
    if (waiting !== undefined) await waiting;
    try {
      return await this.#load(flight, request, mode);
    } finally {
      this.#parts.budget.give();
    }
  }

  async #load(flight: Flight, request: ReadRequest, mode: FillMode): Promise<Outcome> {
    const { node, memory, stopwatch, events } = this.#parts;
    const { view } = node;
    const startedAt = stopwatch.now();
    // The mark, before the loader can have read anything: a record that it may have missed is after the mark.
    flight.begin({ epoch: view.epoch, number: view.applied }, view.pending.turn, this.nextOrder());
    // A strict write that is open may have committed: then no bound that was applied here covers it. Which tags the value will
    // have is not known yet.
    const open = view.announcements.size > 0 && this.#has('strictLsn');
    const known = !mode.unreached && !open && node.attachedAt(startedAt);
    const ctx = new LoadDecisions({
      key: flight.key,
      previous: mode.keeps === undefined ? memory?.get(flight.place)?.value : undefined,
      lsn: known || !this.#has('lsnUnknown') ? view.lsn : 'unknown',
    });
    this.#loading.add(ctx);
    try {
      const asked = this.#ask(request, ctx, () =>
        mode.unreached ? this.#parts.scopes.sourcedSince(flight.loadOrder, () => request.load(ctx)) : request.load(ctx),
      );
      const value = asked instanceof Promise ? ((await asked) as unknown) : asked;
      if (!this.#has('markBefore'))
        flight.begin({ epoch: view.epoch, number: view.applied }, view.pending.turn, flight.loadOrder);
      if (ctx.tags.length > 0)
        flight.set = this.#parts.labels.unite(flight.set, this.#parts.labels.of(flight.key, ctx.tags));
      const kept = mode.keeps?.() !== false && this.#keep(flight, request, ctx, value, startedAt);
      if (events.heard) events.emit({ type: 'loaded', ...subjectOf(request), ms: stopwatch.now() - startedAt, kept });
      const asOf = { epoch: flight.epoch, number: flight.mark };
      return {
        value,
        from: 'loader',
        marked: flight,
        turn: flight.turn,
        asOf,
        order: flight.loadOrder,
        age: stopwatch.now() - startedAt,
      };
    } catch (error) {
      events.emit({ type: 'load-failed', ...subjectOf(request), ms: stopwatch.now() - startedAt, error });
      throw error;
    } finally {
      this.#loading.delete(ctx);
    }
  }

  /** The loader's value: a promise, within its time limit, unless it is there at once. The limit is within the breaker, so that it counts. */
  #ask(request: ReadRequest, ctx: LoadDecisions, load: () => unknown): unknown {
    const { breaker } = request.settings;
    const ask = (): unknown => {
      const loading = load();
      return isThenable(loading) ? this.#inTime(loading, request, ctx) : loading;
    };
    return this.#parts.traces.span({ type: 'load', ...subjectOf(request) }, () =>
      breaker === undefined ? ask() : breaker.run(async () => ask()),
    );
  }

  /** Query builders are often thenables that are no promises, and begin only when they are awaited. */
  #inTime(loading: PromiseLike<unknown>, { key, settings }: ReadRequest, ctx: LoadDecisions): Promise<unknown> {
    const { timeout } = settings;
    const late = (): TidemarkError => {
      const error = new TidemarkError(
        'LOAD_TIMEOUT',
        `The loader of ${shorten(key)} took longer than ${timeout} ms. Make it faster, raise \`timeout\`, or give \`grace\` so that an old value can stand in.`,
      );
      ctx.abort(error);
      return error;
    };
    const work = Promise.resolve(loading);
    const deadlines = this.#deadlinesOf(timeout);
    return deadlines === undefined ? within(this.#parts.clock, timeout, work, late) : deadlines.within(work, late);
  }

  /** `undefined` where there are too many lengths for each to be kept. */
  #deadlinesOf(ms: number): Deadlines | undefined {
    const known = this.#deadlines.get(ms);
    if (known !== undefined || this.#deadlines.size >= MOST_LENGTHS) return known;
    const made = new Deadlines(this.#parts.clock, ms);
    this.#deadlines.set(ms, made);
    return made;
  }

  #keep(flight: Flight, request: ReadRequest, ctx: LoadDecisions, value: unknown, bornAt: number): boolean {
    const { memory, store, node } = this.#parts;
    if (value === undefined || ctx.skipped || flight.epoch === '' || this.#closed) return false;
    if (this.#isWithheld(flight)) return false;
    const cover = node.view.cover(flight, flight.key, flight.turn);
    const life = this.#life(request.settings, ctx, value);
    if (memory !== undefined && life.memoryTtl > 0) {
      const entry = new Entry(
        { value, epoch: flight.epoch, mark: flight.mark, own: flight, set: flight.set },
        { bornAt, ttl: life.memoryTtl, grace: life.grace, provenAt: bornAt },
      );
      entry.owner = request.owner;
      if (ctx.lsn === 'unknown') entry.sourced = flight.loadOrder;
      memory.put(flight.place, entry);
    }
    // A covered value may still serve a reader here who tolerates it; to others it is worth nothing.
    if (store !== undefined && life.storeTtl > 0 && cover === undefined) {
      flight.saved = store.save(flight.place, {
        value,
        epoch: flight.epoch,
        mark: flight.mark,
        labels: [flight, ...flight.shared],
        age: this.#parts.stopwatch.now() - bornAt,
        ttl: life.storeTtl,
        grace: life.grace,
      });
    }
    return true;
  }

  #isWithheld(flight: Flight): boolean {
    return this.#parts.node.view.withholds(flight, flight.key);
  }

  /** TTL, grace and load time together stay within the log's `maxLife`. */
  #life(
    settings: ReadSettings,
    ctx: LoadDecisions,
    value: unknown,
  ): { memoryTtl: number; storeTtl: number; grace: number } {
    const chosen = ctx.ttlChosen ?? (value === null ? settings.negativeTtl : undefined);
    const { maxLife } = this.#parts.node.follower.options;
    const grace = Math.min(settings.grace, maxLife / 2);
    const longest = Math.max(0, maxLife - grace - Math.min(settings.timeout, maxLife / 4));
    const taken = 1 - settings.jitter * this.#parts.random();
    const limit = (ttl: number): number => Math.round(Math.min(chosen ?? ttl, longest) * taken);
    return { memoryTtl: limit(settings.memoryTtl), storeTtl: limit(settings.storeTtl), grace };
  }

  #has(guard: Guard): boolean {
    return !this.#parts.removed.has(guard);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return 'then' in value && typeof value.then === 'function';
}
