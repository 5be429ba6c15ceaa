import type { Clock } from '../coherence/clock.ts';
import type { Follower } from '../coherence/follower.ts';
import type { Guard, RemovedGuards } from '../coherence/guards.ts';
import { plainKey } from '../coherence/key.ts';
import type { Node } from '../coherence/node.ts';
import { formatToken, type Position, type Token } from '../coherence/position.ts';
import type { Stopwatch } from '../coherence/stopwatch.ts';
import type { Marked, View } from '../coherence/view.ts';
import { Claims, claimsOf, isHeld, isSourced, NO_CLAIMS } from './claims.ts';
import { Entry, NEVER } from './entry.ts';
import type { Events, From, MissReason } from './events.ts';
import type { Fill, FillMode } from './fill.ts';
import type { Flight, Outcome } from './flight.ts';
import { includesAll, type LabelSet, type LabelSets } from './label-set.ts';
import type { MemoryTier } from './memory-tier.ts';
import { type ReadRequest, subjectOf } from './read-request.ts';
import type { Scope } from './scope.ts';
import type { Tallies } from './tally.ts';

/** A value with where it came from. */
export interface Provenance<T> {
  readonly value: T;
  /** `fallback`: the query's fallback, in place of an error. It is no value of the key, and was kept nowhere. */
  readonly from: From | 'fallback';
  /** Whether it is old, and was returned because the reader tolerates it. */
  readonly stale: boolean;
  /** The log position that its loader started from; `undefined` where the log was never reached. */
  readonly mark: Token | undefined;
  /** Milliseconds since its load began. */
  readonly age: number;
}

/** {@link Provenance}, with what the rule needs to judge it again. */
export interface Served {
  readonly value: unknown;
  readonly from: From;
  readonly stale: boolean;
  readonly marked: Marked;
  /** See `View.cover`. */
  readonly turn: number;
  readonly age: number;
}

export interface ReadPathParts {
  readonly node: Node;
  readonly memory: MemoryTier | undefined;
  readonly fill: Fill;
  readonly labels: LabelSets;
  readonly events: Events;
  readonly tallies: Tallies;
  readonly clock: Clock;
  readonly stopwatch: Stopwatch;
  /** How long a detached node goes on serving what was valid, in ms. */
  readonly serveDetached: number;
  /** Strict writes are promised to readers. */
  readonly strict: boolean;
  readonly removed: RemovedGuards;
}

/** How long a node that is behind a reader's token waits for its follower before it loads, in ms. */
const TOKEN_PATIENCE = 50;

const USUAL: FillMode = { loadOnly: false, unreached: false };
/** For tokens that ask for more than this node can prove. */
const BEYOND: FillMode = { loadOnly: true, unreached: true };

/** One read on its way. */
interface Reader {
  readonly request: ReadRequest;
  readonly order: number;
  readonly mode: FillMode;
  /** The position asked for, where it is one of this epoch, and nothing else is asked for. */
  readonly position: Position | undefined;
  /** Where its tokens ask for more than this node can prove: only what was loaded from the primary after this place will do. */
  readonly since: number;
}

/**
 * The read path, told in order:
 *
 * 1. In memory, not expired, attached, not covered: return it.
 * 2. Old, but within what the reader tolerates: return it, and refresh behind its back.
 * 3. Share the flight of the same key that is under way, if it can still satisfy this reader; else start one.
 * 4. When it has landed, check its value against the reader's own start; too old, and the reader starts over, once.
 * 5. If the loader failed, and an old value may stand in: return that.
 */
export class ReadPath {
  readonly #parts: ReadPathParts;
  readonly #flights = new Map<string, Flight>();
  readonly #claims: Claims;

  readonly #view: View;
  readonly #follower: Follower;
  readonly #datedByProof: boolean;
  #tolerance: number;

  constructor(parts: ReadPathParts) {
    this.#parts = parts;
    this.#view = parts.node.view;
    this.#follower = parts.node.follower;
    this.#claims = new Claims({ view: this.#view, now: () => parts.fill.nextOrder(), removed: parts.removed });
    this.#datedByProof = !parts.removed.has('staleSince');
    this.#tolerance = parts.serveDetached;
  }

  /** The longest time, in ms, that a reader has let an old value stand in for. */
  get tolerance(): number {
    return this.#tolerance;
  }

  /** Loads that are under way. */
  get flying(): number {
    return this.#flights.size;
  }

  /**
   * Why an entry may not be served now; `undefined` if it may. On the way of every hit, so it allocates nothing.
   *
   * An entry remembers the view's revision at which it was found uncovered; until the view changes it stays so. The memo is
   * of what was applied, never of the head. It is set only while attached, and a log in this process detaches only by
   * changing the view.
   */
  refuse(entry: Entry, key: string, now: number): MissReason | undefined {
    if (entry.checked !== this.#view.revision || !this.#follower.local) {
      const reason = this.#examine(entry, key, now);
      if (reason !== undefined) return reason;
    }
    entry.prove(this.#datedByProof ? this.#follower.provenAt(now) : now);
    return entry.freshAt(now) ? undefined : 'expired';
  }

  #examine(entry: Entry, key: string, now: number): MissReason | undefined {
    if (!this.#parts.node.attachedAt(now)) return 'detached';
    const view = this.#view;
    if (entry.checked === view.revision) return undefined;
    const cover = view.cover(entry, key, 0, entry.checked);
    if (cover === undefined) entry.checked = this.#has('memoApplied') ? view.revision : view.revision + 1;
    return cover;
  }

  /** The entry, if memory may serve it to this reader now; else why not. Nothing is awaited. */
  inMemory(request: ReadRequest, now: number): Entry | MissReason {
    const entry = this.#parts.memory?.get(request.place);
    if (entry === undefined) return 'absent';
    if (!this.#claims.suit(entry, claimsOf(request), request.scope?.since ?? 0)) return 'token';
    this.#tagged(entry, request);
    return this.refuse(entry, request.key, now) ?? entry;
  }

  /** Whether an entry in memory is new enough for those who read in a scope, as far as their tokens go. Allocates nothing. */
  allows({ session, since }: Scope, entry: Entry): boolean {
    return this.#claims.suit(entry, session?.claims ?? NO_CLAIMS, since);
  }

  /** Whether what this node knows of the log is enough for a reader's tokens, after a short wait at most. */
  reached(request: ReadRequest): boolean | Promise<boolean> {
    const begun = this.#begin(request);
    return begun instanceof Promise ? begun.then(({ since }) => since === 0) : begun.since === 0;
  }

  /** @throws what a token is refused with, before anything has happened */
  read(request: ReadRequest): Promise<Served> {
    this.#tolerance = Math.max(this.#tolerance, request.settings.grace, request.settings.maxStaleness);
    const begun = this.#begin(request);
    return begun instanceof Promise ? begun.then((reader) => this.#serve(reader)) : this.#serve(begun);
  }

  #serve(reader: Reader): Promise<Served> {
    const { request } = reader;
    const { events, stopwatch } = this.#parts;
    const now = stopwatch.now();
    const entry = this.#parts.memory?.get(request.place);
    if (entry !== undefined) this.#tagged(entry, request);
    const reason =
      entry === undefined
        ? 'absent'
        : (this.refuse(entry, request.key, now) ?? (isSourced(entry, reader.since) ? undefined : 'token'));
    if (entry !== undefined && reason === undefined) {
      request.elsewhere?.();
      this.#hit(entry, request, now);
      return Promise.resolve(served(entry, false, now));
    }
    if (events.heard && reason !== undefined) events.emit({ type: 'miss', ...subjectOf(request), reason });
    const old = this.#tolerated(entry, reader, now);
    return old === undefined ? this.#fly(reader, entry) : Promise.resolve(served(old, true, now));
  }

  /** Loads anew behind everybody's back; what fails is reported as an event. */
  refresh(request: ReadRequest): void {
    if (this.#flights.has(request.place)) return;
    const { events, fill } = this.#parts;
    if (events.heard) events.emit({ type: 'refresh', ...subjectOf(request) });
    const flight = this.#start({
      request,
      order: fill.nextOrder(),
      mode: { loadOnly: true, unreached: false },
      position: undefined,
      since: 0,
    });
    flight.outcome.catch(() => {});
  }

  // --- 1. the reader, and what it asks for

  /** A reader behind whose token the node is waits a moment for the follower. Without a token nothing is awaited. */
  #begin(request: ReadRequest): Reader | Promise<Reader> {
    const order = this.#parts.fill.nextOrder();
    const claims = claimsOf(request);
    const since = request.scope?.since ?? 0;
    if (claims.length === 0) return { request, order, mode: since > 0 ? BEYOND : USUAL, position: undefined, since };
    const beyond = (position: Position | undefined): Reader => ({
      ...{ request, order, position },
      mode: BEYOND,
      since: this.#claims.since(claims, since),
    });
    const position = this.#claims.positionHere(claims);
    if (position === undefined || since > 0) return beyond(undefined);
    const passed: Reader = { request, order, mode: USUAL, position, since };
    if (this.#view.applied >= position.number) return passed;
    return this.#follower
      .reach(position, TOKEN_PATIENCE)
      .then((outcome) => (outcome === 'passed' ? passed : beyond(position)));
  }

  #tagged(entry: Entry, request: ReadRequest): void {
    if (request.owner !== undefined && entry.owner === request.owner) return;
    const tags = request.tags();
    if (!includesAll(entry.set.tags, tags) && this.#has('readerLabels')) {
      const { labels } = this.#parts;
      entry.set = labels.unite(entry.set, labels.of(request.key, tags));
      entry.checked = 0;
      // What was proven, was proven without these tags.
      entry.provenAt = NEVER;
    }
    if (request.owner !== undefined) entry.owner = request.owner;
  }

  #hit(entry: Entry, request: ReadRequest, now: number): void {
    const { events, tallies } = this.#parts;
    (request.owner ?? tallies.byKey).hit();
    if (events.hitsHeard) events.emit({ type: 'hit', ...subjectOf(request), from: 'memory' });
    if (now - entry.bornAt > entry.ttl * request.settings.eagerRefresh) this.refresh(request);
  }

  // --- 2. tolerance

  #tolerated(entry: Entry | undefined, reader: Reader, now: number): Entry | undefined {
    const { request } = reader;
    if (entry === undefined || isHeld(request)) return undefined;
    const { maxStaleness, grace } = request.settings;
    if (
      maxStaleness > 0 &&
      entry.provenAt > NEVER &&
      now - entry.provenAt <= maxStaleness &&
      now < entry.freshUntil + Math.max(maxStaleness, grace) &&
      this.#mayBeOld(entry, request.key, now)
    ) {
      request.elsewhere?.();
      this.#stale(request, 'maxStaleness');
      this.refresh(request);
      return entry;
    }
    const { node, serveDetached } = this.#parts;
    if (
      serveDetached > 0 &&
      entry.freshAt(now) &&
      !node.attachedAt(now) &&
      node.attachedAt(now, serveDetached) &&
      node.view.cover(entry, request.key) === undefined
    ) {
      request.elsewhere?.();
      this.#stale(request, 'detached');
      return entry;
    }
    return undefined;
  }

  /** Whether strict writes allow that an old value is given to somebody who tolerates it. */
  #mayBeOld(entry: Entry, key: string, now: number): boolean {
    if (this.#has('strictDetached') && this.#mayMissAnnouncement(now)) return false;
    return !this.#view.forbids(entry, key);
  }

  /**
   * Whether a strict write may be open, or over, of which this node knows nothing: whoever announces one waits for a node that is cut
   * off only as long as it has said that it serves on its last proof.
   */
  #mayMissAnnouncement(now: number): boolean {
    const { strict, serveDetached } = this.#parts;
    if (!strict) return false;
    return !(now - this.#follower.provenAt(now) <= this.#follower.options.maxLag + serveDetached);
  }

  #stale(request: ReadRequest, why: 'maxStaleness' | 'grace' | 'softTimeout' | 'detached', error?: unknown): void {
    const { events } = this.#parts;
    if (events.heard)
      events.emit({ type: 'stale', ...subjectOf(request), why, ...(error === undefined ? {} : { error }) });
  }

  // --- 3. and 4. flights

  async #fly(reader: Reader, old: Entry | undefined): Promise<Served> {
    const { request } = reader;
    const { place } = request;
    for (;;) {
      const current = this.#flights.get(place);
      const join = current !== undefined && this.#joinable(current, reader);
      const flight = join ? current : this.#start(reader);
      if (join) {
        request.elsewhere?.();
        if (this.#parts.events.heard) this.#parts.events.emit({ type: 'joined', ...subjectOf(request) });
      }
      let outcome: Outcome | Entry;
      try {
        outcome = await this.#landed(flight, reader, old);
      } catch (error) {
        // What the store has was judged by the labels of whoever began the flight, and of nobody else.
        return this.#standIn(reader, old ?? (join ? undefined : flight.old), error);
      }
      if (outcome instanceof Entry) return served(outcome, true, this.#parts.stopwatch.now());
      // A reader that started after a covering record was applied loads again; its own load satisfies it, whatever came since.
      if (!join) return brought(outcome, outcome.marked);
      if (this.#accepts(flight, outcome, reader)) {
        // Whoever judges the value again, judges it by the labels of this reader too.
        return brought(outcome, this.#labelled(outcome.marked, flight.set, reader));
      }
      if (this.#parts.events.heard) this.#parts.events.emit({ type: 'rejoined', ...subjectOf(request) });
    }
  }

  /** Whether what a flight will bring can satisfy a reader that begins now. */
  #joinable(flight: Flight, reader: Reader): boolean {
    const mark = { epoch: flight.epoch, number: flight.mark };
    if (!meetsToken(flight, reader, mark) && this.#has('tokenJoin')) return false;
    const { node, stopwatch } = this.#parts;
    const now = stopwatch.now();
    const detached = !node.attachedAt(now) && this.#has('detachedJoin');
    // It has not begun to read: whatever it reads is newer than this reader's start. What the store had may be older, and
    // only an attached node knows what was written since.
    if (!flight.loading) return !(detached && flight.checkOrder > 0 && flight.checkOrder < reader.order);
    if (flight.loadOrder > reader.order) return true;
    // A strict write may have committed since it read, however short that is ago.
    if (this.#mayMissAnnouncement(now) && this.#has('strictJoin')) return false;
    // A detached node does not see what was written since; the flight is as old as what it serves may be.
    if (detached && !(now - flight.startedAt <= node.follower.options.maxLag)) return false;
    if (!this.#has('completion')) return true;
    return !this.#overtaken(this.#labelled(flight, flight.set, reader), flight.key, flight.turn);
  }

  /** Whether what a joined flight brought satisfies a reader, by the reader's own start. */
  #accepts(flight: Flight, outcome: Outcome, reader: Reader): boolean {
    if (!meetsToken(flight, reader, outcome.asOf) && this.#has('tokenJoin')) return false;
    const later = outcome.order > reader.order;
    if (outcome.from === 'loader' && later) return true;
    const { node, stopwatch } = this.#parts;
    if (outcome.from === 'store' && !later && !node.attachedAt(stopwatch.now()) && this.#has('detachedJoin'))
      return false;
    if (!this.#has('completion')) return true;
    return !this.#overtaken(this.#labelled(outcome.marked, flight.set, reader), flight.key, outcome.turn);
  }

  /** Whether something that came after it covers what a flight loads, or has loaded. */
  #overtaken(marked: Marked, key: string, turn: number): boolean {
    const view = this.#view;
    if (marked.epoch !== '' || view.epoch !== '') {
      const cover = view.cover(marked, key, turn);
      return cover !== undefined && (cover !== 'young' || this.#has('youngJoin'));
    }
    // The log was never reached: no record is known, and its flights are shared all the same, but for what is queued here.
    return this.#has('queueCovers') && view.pending.covers(marked, marked.shared, plainKey(key), turn);
  }

  /** With the labels that this reader brings and the flight did not have. */
  #labelled(marked: Marked, set: LabelSet, { request }: Reader): Marked {
    const { labels } = this.#parts;
    const tags = request.tags();
    if (includesAll(set.tags, tags)) return marked;
    const { epoch, mark, high, low } = marked;
    return { epoch, mark, high, low, shared: labels.unite(set, labels.of(request.key, tags)).labels };
  }

  #start(reader: Reader): Flight {
    const { place } = reader.request;
    const flight = this.#parts.fill.start(reader.request, reader.mode);
    this.#flights.set(place, flight);
    const land = (): void => {
      if (this.#flights.get(place) === flight) this.#flights.delete(place);
    };
    flight.outcome.then(land, land);
    return flight;
  }

  /** What the flight brought; or the old value, where it may stand in and the soft timeout passes first. */
  #landed(flight: Flight, { request }: Reader, old: Entry | undefined): Promise<Outcome | Entry> {
    const { softTimeout, grace, maxStaleness } = request.settings;
    const { clock, stopwatch } = this.#parts;
    const tolerance = Math.max(grace, maxStaleness);
    if (!Number.isFinite(softTimeout) || old === undefined || tolerance <= 0 || isHeld(request)) return flight.outcome;
    return new Promise((resolve, reject) => {
      const cancel = clock.schedule(softTimeout, () => {
        const now = stopwatch.now();
        if (!standsIn(old, now, tolerance) || !this.#mayBeOld(old, request.key, now)) return;
        this.#stale(request, 'softTimeout');
        resolve(old);
      });
      flight.outcome.then(resolve, reject).finally(cancel);
    });
  }

  // --- 5. errors

  #standIn({ request }: Reader, old: Entry | undefined, error: unknown): Served {
    const { stopwatch } = this.#parts;
    const { grace } = request.settings;
    const now = stopwatch.now();
    if (old === undefined || grace <= 0 || isHeld(request) || !standsIn(old, now, grace)) throw error;
    if (!this.#mayBeOld(old, request.key, now)) throw error;
    this.#stale(request, 'grace', error);
    return served(old, true, now);
  }

  #has(guard: Guard): boolean {
    return !this.#parts.removed.has(guard);
  }
}

/** Whether what a flight brings, current at `asOf`, is not before what the reader's tokens name. */
function meetsToken(flight: Flight, { mode, position, since, order }: Reader, asOf: Position): boolean {
  if (position === undefined && !mode.unreached) return true;
  // It reads the primary, and began after this reader, or after its tokens came.
  if (flight.unreached && !(flight.loading && flight.loadOrder < (since || order))) return true;
  // It will take its mark at or after what this reader has reached.
  if (!flight.loading && Number.isNaN(asOf.number)) return !mode.unreached;
  return position !== undefined && asOf.epoch === position.epoch && asOf.number >= position.number;
}

/** Whether an old value may stand in: it was proven valid, and had not expired, at most `tolerance` ms ago. */
function standsIn(entry: Entry, now: number, tolerance: number): boolean {
  return entry.provenAt > NEVER && now - entry.provenAt <= tolerance && now < entry.freshUntil + tolerance;
}

export function served(entry: Entry, stale: boolean, now: number): Served {
  return { value: entry.value, from: 'memory', stale, marked: entry, turn: 0, age: Math.max(0, now - entry.bornAt) };
}

function brought({ value, from, turn, age }: Outcome, marked: Marked): Served {
  return { value, from, stale: false, marked, turn, age };
}

/** What users see of a served value. */
export function provenance<T>({ value, from, stale, marked, age }: Served): Provenance<T> {
  const mark = marked.epoch === '' ? undefined : formatToken({ epoch: marked.epoch, number: marked.mark });
  return { value: value as T, from, stale, mark, age };
}
