import type { Clock } from '../coherence/clock.ts';
import { within } from '../coherence/deadline.ts';
import { TidemarkError, shorten } from '../coherence/errors.ts';
import type { Guard, RemovedGuards } from '../coherence/guards.ts';
import { plainKey } from '../coherence/key.ts';
import { keyLabel, sameLabel } from '../coherence/label.ts';
import type { Node } from '../coherence/node.ts';
import type { Position } from '../coherence/position.ts';
import type { ServerAnswer, ServerCheck } from '../coherence/server-check.ts';
import type { Stopwatch } from '../coherence/stopwatch.ts';
import type { Marked } from '../coherence/view.ts';
import { Announcements } from '../coherence/announcements.ts';
import { Bans } from '../coherence/bans.ts';
import type { Budget } from './budget.ts';
import { Entry, NEVER } from './entry.ts';
import type { Events } from './events.ts';
import { Flight, type Outcome } from './flight.ts';
import type { LabelSets } from './label-set.ts';
import { type Lease, type LeaseAnswer, noLease } from './lease.ts';
import { LoadDecisions } from './load-context.ts';
import type { MemoryTier } from './memory-tier.ts';
import type { ReadRequest } from './read-request.ts';
import type { ReadSettings } from './read-options.ts';
import type { Found, StoreTier } from './store-tier.ts';

export interface FillParts {
  readonly node: Node;
  readonly memory: MemoryTier | undefined;
  readonly store: StoreTier | undefined;
  readonly check: ServerCheck | undefined;
  readonly lease: Lease;
  readonly budget: Budget;
  readonly labels: LabelSets;
  readonly events: Events;
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
}

/**
 * How a value that is not in memory is obtained: from the store, or from another process that loads it now, or by its
 * loader; and how it is kept.
 */
export class Fill {
  readonly #parts: FillParts;
  #order = 0;
  readonly #loading = new Set<LoadDecisions>();
  #closed = false;

  constructor(parts: FillParts) {
    this.#parts = parts;
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
    const set = this.#parts.labels.of(request.key, request.tags());
    const flight = new Flight(request.key, keyLabel(request.key), set, mode.unreached, this.#parts.stopwatch.now());
    flight.outcome = this.#run(flight, request, mode);
    return flight;
  }

  /** What the store has under a key, if it may be served; nothing is loaded. */
  find(request: ReadRequest): Promise<Outcome | undefined> {
    const set = this.#parts.labels.of(request.key, request.tags());
    return this.#fromStore(
      new Flight(request.key, keyLabel(request.key), set, false, this.#parts.stopwatch.now()),
      request,
    );
  }

  async #run(flight: Flight, request: ReadRequest, mode: FillMode): Promise<Outcome> {
    if (!mode.loadOnly && this.#parts.store !== undefined) {
      const stored = await this.#fromStore(flight, request);
      if (stored !== undefined) return stored;
    }
    if (this.#parts.lease === noLease || mode.unreached) return this.#inBudget(flight, request, mode);
    const granted = await this.#leaseOrFill(flight, request);
    if (!('granted' in granted)) return granted;
    try {
      return await this.#inBudget(flight, request, mode);
    } finally {
      if (granted.granted) void this.#release(flight, granted);
    }
  }

  // --- the store

  async #fromStore(flight: Flight, request: ReadRequest): Promise<Outcome | undefined> {
    const found = await this.#parts.store?.find(flight.key);
    if (found === undefined) return undefined;
    const marked = this.#markedBy(flight, found);
    const now = this.#parts.clock.wall();
    if (!(now < found.bornAt + found.ttl)) return undefined;
    // Who begins after this has a newer right than the answer: it may be long under way.
    flight.checkOrder = this.nextOrder();
    const asOf = await this.#uncovered(flight.key, marked);
    if (asOf === undefined) return undefined;
    let value: unknown;
    try {
      value = await found.value();
    } catch (error) {
      this.#parts.events.emit({ type: 'store-failed', operation: 'get', keys: [flight.key], error });
      return undefined;
    }
    // Unpacking may have taken a while; what was applied meanwhile counts for readers that joined meanwhile.
    const { node, stopwatch } = this.#parts;
    const own = this.#has('serverBoth') || node.attachedAt(stopwatch.now());
    if (own && node.view.cover(marked, flight.key) !== undefined) return undefined;
    request.elsewhere?.();
    const age = Math.max(0, now - found.bornAt);
    this.#promote(flight, request.settings, marked, { value, ttl: found.ttl, grace: found.grace, age });
    if (this.#parts.events.heard) this.#parts.events.emit({ type: 'hit', key: flight.key, from: 'store' });
    return { value, from: 'store', marked, turn: 0, asOf, order: flight.checkOrder, age };
  }

  /** The labels checked are those of the envelope and those of the reader: two releases may tag differently. */
  #markedBy(flight: Flight, found: Found): Marked {
    const others = found.labels.filter((label) => !sameLabel(label, flight));
    flight.set = this.#has('readerLabels')
      ? this.#parts.labels.unite(flight.set, { labels: others, tags: [] })
      : { labels: others, tags: flight.set.tags };
    return { epoch: found.epoch, mark: found.mark, high: flight.high, low: flight.low, shared: flight.set.labels };
  }

  /** The position at which nothing covers it; `undefined` where that cannot be proved. */
  async #uncovered(key: string, marked: Marked): Promise<Position | undefined> {
    const { node, stopwatch, check } = this.#parts;
    const { view } = node;
    if (node.attachedAt(stopwatch.now())) {
      return view.cover(marked, key) === undefined ? { epoch: view.epoch, number: view.applied } : undefined;
    }
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

  /** Into memory, with the mark it had: what is known about it has not become better by reading it. */
  #promote(
    flight: Flight,
    settings: ReadSettings,
    marked: Marked,
    kept: { value: unknown; ttl: number; grace: number; age: number },
  ): void {
    const { memory, node, stopwatch } = this.#parts;
    if (memory === undefined) return;
    const now = stopwatch.now();
    const mark = this.#has('promotionMark') ? marked : { epoch: node.view.epoch, mark: node.view.applied };
    const entry = new Entry(
      { value: kept.value, epoch: mark.epoch, mark: mark.mark, own: flight, set: flight.set },
      {
        bornAt: now - kept.age,
        ttl: Math.min(settings.memoryTtl, kept.ttl),
        grace: Math.min(settings.grace, kept.grace),
        // The server may have vouched for it, this node's view has not: only an attached node's check dates a tolerance.
        provenAt: node.attachedAt(now) ? node.follower.provenAt(now) : NEVER,
      },
    );
    memory.put(flight.key, entry);
  }

  // --- the lease

  /** The lease of the key, or what its holder has brought meanwhile. Loads without, once the lease's time is over. */
  async #leaseOrFill(flight: Flight, request: ReadRequest): Promise<LeaseAnswer | Outcome> {
    const { clock, stopwatch } = this.#parts;
    const since = stopwatch.now();
    const time = request.settings.timeout;
    for (let waited = false; ; waited = true) {
      let answer: LeaseAnswer;
      try {
        answer = await this.#acquire(flight.key, time);
      } catch (error) {
        this.#leaseFailed(flight.key, error);
        return { granted: false, wait: 0 };
      }
      // Looked for after the answer: what the last holder has brought was in the store before it gave the lease back.
      const stored = waited ? await this.#fromStore(flight, request) : undefined;
      if (stored !== undefined) {
        if (answer.granted) void this.#release(flight, answer);
        return stored;
      }
      const left = since + time - stopwatch.now();
      if (answer.granted || left <= 0) return answer;
      request.elsewhere?.();
      const wait = Math.max(1, Math.min(answer.wait, left));
      await new Promise<void>((resolve) => clock.schedule(wait, resolve));
    }
  }

  async #acquire(key: string, time: number): Promise<LeaseAnswer> {
    const { lease, clock, timeout } = this.#parts;
    const asked = lease.acquire(key, time);
    try {
      return await within(clock, timeout, asked, () => new Error('the lease was not answered in time'));
    } catch (error) {
      // One that is granted later would keep others waiting for nobody.
      asked.then((late) => (late.granted ? late.release() : undefined)).catch(() => {});
      throw error;
    }
  }

  /** Not before the value is in the store: who is granted the lease next looks for it there. */
  async #release(flight: Flight, lease: LeaseAnswer & { readonly granted: true }): Promise<void> {
    try {
      await flight.saved;
      await lease.release();
    } catch (error) {
      this.#leaseFailed(flight.key, error);
    }
  }

  #leaseFailed(key: string, error: unknown): void {
    this.#parts.events.emit({ type: 'lease-failed', key, error });
  }

  // --- the loader

  async #inBudget(flight: Flight, request: ReadRequest, mode: FillMode): Promise<Outcome> {
    if (request.board !== undefined) {
      await request.board();
      return this.#load(flight, request, mode);
    }
    const waiting = this.#parts.budget.take();
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
    const known = !mode.unreached && node.attachedAt(startedAt);
    const ctx = new LoadDecisions({
      key: flight.key,
      previous: memory?.get(flight.key)?.value,
      lsn: known || !this.#has('lsnUnknown') ? view.lsn : 'unknown',
    });
    const { timeout } = request.settings;
    this.#loading.add(ctx);
    try {
      const loading = request.load(ctx);
      // Query builders are often thenables that are no promises, and begin only when they are awaited.
      const value = isThenable(loading)
        ? await this.#inTime(Promise.resolve(loading), flight.key, timeout, ctx)
        : loading;
      if (!this.#has('markBefore'))
        flight.begin({ epoch: view.epoch, number: view.applied }, view.pending.turn, flight.loadOrder);
      const kept = this.#keep(flight, request, ctx, value, startedAt);
      if (events.heard) events.emit({ type: 'loaded', key: flight.key, ms: stopwatch.now() - startedAt, kept });
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
      events.emit({ type: 'load-failed', key: flight.key, ms: stopwatch.now() - startedAt, error });
      throw error;
    } finally {
      this.#loading.delete(ctx);
    }
  }

  #inTime<T>(loading: Promise<T>, key: string, timeout: number, ctx: LoadDecisions): Promise<T> {
    return within(this.#parts.clock, timeout, loading, () => {
      const error = new TidemarkError(
        'LOAD_TIMEOUT',
        `The loader of ${shorten(key)} took longer than ${timeout} ms. Make it faster, raise \`timeout\`, or give \`grace\` so that an old value can stand in.`,
      );
      ctx.abort(error);
      return error;
    });
  }

  #keep(flight: Flight, request: ReadRequest, ctx: LoadDecisions, value: unknown, bornAt: number): boolean {
    const { labels, memory, store, node } = this.#parts;
    if (ctx.tags.length > 0) flight.set = labels.unite(flight.set, labels.of(flight.key, ctx.tags));
    if (value === undefined || ctx.skipped || flight.epoch === '' || this.#closed) return false;
    const cover = node.view.cover(flight, flight.key, flight.turn);
    if (cover === 'announcement') return false;
    const life = this.#life(request.settings, ctx, value);
    if (memory !== undefined && life.memoryTtl > 0) {
      const entry = new Entry(
        { value, epoch: flight.epoch, mark: flight.mark, own: flight, set: flight.set },
        { bornAt, ttl: life.memoryTtl, grace: life.grace, provenAt: bornAt },
      );
      entry.owner = request.owner;
      memory.put(flight.key, entry);
    }
    // A covered value may still serve a reader here who tolerates it; to others it is worth nothing.
    if (store !== undefined && life.storeTtl > 0 && cover === undefined) {
      flight.saved = store.save(flight.key, {
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
