import { checkDetails } from '../coherence/cause.ts';
import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { NO_GUARD_REMOVED, type RemovedGuards } from '../coherence/guards.ts';
import { canonicalKey, isVersioned, type KeyInput, keyOf, placeOf } from '../coherence/key.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { keyLabel } from '../coherence/label.ts';
import type { Unsubscribe } from '../coherence/log.ts';
import { Node } from '../coherence/node.ts';
import { type Position, parseToken, type Token, formatToken } from '../coherence/position.ts';
import type { Receipt } from '../coherence/receipt.ts';
import type { Cause, DraftDetails, Lsn } from '../coherence/record.ts';
import { checkTag, isTarget, key as keyTarget, type Target } from '../coherence/target.ts';
import { Batch, type LoadMany } from './batch.ts';
import { Budget } from './budget.ts';
import { type CacheOptions, type CacheSettings, cacheSettings } from './cache-options.ts';
import { Consistent } from './consistent.ts';
import { Entry, NEVER } from './entry.ts';
import { Events, type Listener } from './events.ts';
import { Fill } from './fill.ts';
import { FleetBudget } from './fleet-budget.ts';
import { journal } from './journal.ts';
import { wholeNumber } from './log-access.ts';
import { includesAll, LabelSets } from './label-set.ts';
import type { LoadContext } from './load-context.ts';
import { MemoryTier } from './memory-tier.ts';
import { type Outlook, outlook } from './outlook.ts';
import { makeQuery, type Query, QueryNames, type QueryOptions, type ReadRequestOf } from './query.ts';
import { type ReadMode, type ReadOptions, type ReadSettings, readSettings } from './read-options.ts';
import { type Provenance, provenance, ReadPath } from './read-path.ts';
import type { ReadRequest } from './read-request.ts';
import { Shadow } from './shadow.ts';
import type { ShadowCounts } from './shadow-counts.ts';
import { Scopes } from './scope.ts';
import { ClientSession, type Session } from './session.ts';
import { StoreTier } from './store-tier.ts';
import { type AnnounceOptions, type CommittedOptions, type StrictWrite, strictWrite } from './strict-write.ts';
import { Sweep } from './sweep.ts';

/** Options of one `getOrSet`. */
export interface GetOptions extends ReadOptions {
  readonly tags?: readonly string[];
}

/** Options of `set`. */
export interface SetOptions extends Pick<ReadOptions, 'ttl' | 'grace'> {
  /** From `cache.mark()`, taken before the value was read from its source. */
  readonly mark: Token;
  readonly tags?: readonly string[];
}

/** Options of `invalidate`. */
export interface InvalidateOptions {
  /**
   * The message id of the record: 32 lower-case hexadecimal digits, not all zero; default one of this node's own. Whoever may
   * have to append the same again, such as an outbox, gives both the same id, so that readers of the log can tell.
   */
  readonly id?: string;
  /** What happened; for the log line and the other services. */
  readonly cause?: Cause;
  /** An upper bound of the database's log position, read after the commit; for readers of replicas. */
  readonly lsn?: Lsn;
  /**
   * From `cache.mark()`, taken before `lsn` was read. Where a commit had no known bound, readers of replicas stay with the
   * primary until a bound says that it was read after that commit's record was applied.
   */
  readonly lsnMark?: Token;
  /**
   * `'here'` (default): resolves when this node serves nothing older. `'everywhere'`: when no node of the fleet does, which is
   * as soon as all have confirmed it, and at the latest when those that have not must have stopped serving (`maxLag`, and the
   * longest `whenDetached`); see `everywhere` in the receipt.
   */
  readonly acknowledged?: 'here' | 'everywhere';
}

/**
 * A cache that serves an entry only if no record after its mark covers it.
 *
 * It works from its first call: until it is attached to its log, reads go to their loaders.
 */
export class Cache {
  readonly #settings: CacheSettings;
  readonly #events: Events;
  readonly #node: Node;
  readonly #memory: MemoryTier | undefined;
  readonly #store: StoreTier | undefined;
  readonly #labels = new LabelSets();
  readonly #budget: Budget;
  readonly #fleetBudget: FleetBudget | undefined;
  readonly #fill: Fill;
  readonly #reads: ReadPath;
  readonly #consistent: Consistent;
  readonly #shadow: Shadow;
  readonly #sweep: Sweep | undefined;
  readonly #queries = new QueryNames();
  readonly #placed: boolean;
  readonly #scopes = new Scopes();
  readonly #removed: RemovedGuards;
  #closed: Promise<{ unsent: number }> | undefined;

  /** @param removed guards taken out by the simulation, to show that each is needed */
  constructor(options: CacheOptions, removed: RemovedGuards = NO_GUARD_REMOVED) {
    const settings = cacheSettings(options, !removed.has('bothClocks'));
    const { context } = settings;
    const { clock, stopwatch, random, logger } = context;
    this.#settings = settings;
    this.#placed = !removed.has('versionPlace');
    this.#removed = removed;
    const events = new Events((error) => {
      try {
        logger?.error({ event: 'cache_listener', err: error }, 'cache_listener: a listener threw');
      } catch {
        // The logger itself fails: there is nobody left to tell, and reads must not suffer for it.
      }
    });
    if (logger !== undefined)
      events.on(
        journal({ logger, wall: () => clock.wall(), logHits: settings.logHits, logMisses: settings.logMisses }),
      );
    this.#events = events;
    this.#node = new Node({
      ...context,
      log: settings.log,
      presence: settings.presence,
      tolerance: settings.serveDetached,
      options: settings.logOptions,
      patience: settings.patience,
      maxQueue: settings.maxQueue,
      strict: settings.strict,
      emit: (event) => {
        if (event.type === 'applied' || event.type === 'epoch' || event.type === 'resync') this.#sweep?.notice();
        events.emit(event);
      },
      removed,
    });
    const caching = settings.enabled;
    this.#memory =
      caching && settings.memory
        ? new MemoryTier(
            settings.memory,
            settings.freeze,
            (place) => events.emit({ type: 'evicted', key: keyOf(place) }),
            (place, entry) => this.#node.view.cover(entry, place) !== undefined,
          )
        : undefined;
    this.#store =
      caching && settings.store
        ? new StoreTier({ ...settings, store: settings.store, clock, events, timeout: settings.requestTimeout })
        : undefined;
    const { fleetLoads, requestTimeout } = settings;
    if (fleetLoads !== undefined)
      this.#fleetBudget = new FleetBudget({ ...fleetLoads, events, clock, timeout: requestTimeout });
    this.#budget = new Budget(settings.concurrency, this.#fleetBudget);
    const parts = {
      node: this.#node,
      memory: this.#memory,
      store: this.#store,
      labels: this.#labels,
      scopes: this.#scopes,
      events,
      clock,
      stopwatch,
      removed,
    };
    this.#fill = new Fill({
      ...parts,
      check: settings.check,
      lease: settings.lease,
      budget: this.#budget,
      random,
      timeout: settings.requestTimeout,
    });
    this.#reads = new ReadPath({
      ...parts,
      fill: this.#fill,
      serveDetached: settings.serveDetached,
      strict: settings.strict,
    });
    this.#consistent = new Consistent({ ...parts, reads: this.#reads });
    this.#shadow = new Shadow({ ...parts, reads: this.#reads, fill: this.#fill });
    const { view } = this.#node;
    if (this.#memory !== undefined)
      this.#sweep = new Sweep({
        ...{ memory: this.#memory, view, clock, now: () => stopwatch.now() },
        tolerance: () => this.#reads.tolerance,
      });
    this.#node.start();
  }

  get name(): string {
    return this.#settings.context.name;
  }

  /**
   * Resolves when this node is attached to its log. Nothing has to wait for it.
   *
   * @throws TidemarkError `NOT_READY` after `timeout`, default `'5s'`
   */
  async ready(options: { readonly timeout?: Duration } = {}): Promise<void> {
    const ms = milliseconds(options.timeout ?? '5s', 'timeout');
    this.#open();
    if (!this.#node.attachedAt(this.#now())) await this.#node.ready(ms);
  }

  // --- reading

  /**
   * The value under a key, loaded where no tier may serve it.
   *
   * @param key a path such as `'user:42'`, or segments such as `['user', 42]`
   * @throws what the loader throws; TidemarkError `LOAD_TIMEOUT`; for bad input, before anything has happened
   * @example await cache.getOrSet(['user', 42], () => db.user(42), { tags: ['org:7'], ttl: '1m' })
   */
  getOrSet<T>(key: KeyInput, load: (ctx: LoadContext) => T | Promise<T>, options?: GetOptions): Promise<T> {
    // A warm hit: no I/O, one promise. A string that is not canonical is not found under itself, and takes the long way.
    if (typeof key === 'string' && !isVersioned(key)) {
      const entry = this.#warm(key, this.#settings.defaults, undefined, options);
      if (entry !== undefined) return Promise.resolve(entry.value as T);
    }
    return this.#attempt(() => this.#get(this.#request(key, load, options)));
  }

  /** The value under a key, if a tier may serve it; never loads. */
  async get<T = unknown>(key: KeyInput): Promise<T | undefined> {
    this.#open();
    const request = this.#scoped(this.#request<T>(key, nothing, undefined));
    // Who only looks has nothing to opt in to.
    if (this.#mode(request, 'on') !== 'on') return undefined;
    const reached = this.#reads.reached(request);
    const isReached = reached instanceof Promise ? await reached : reached;
    const entry = this.#reads.inMemory(request, this.#now());
    if (entry instanceof Entry) {
      if (this.#events.heard) this.#events.emit({ type: 'hit', key: request.key, from: 'memory' });
      return entry.value as T;
    }
    const found = isReached ? await this.#fill.find(request) : undefined;
    if (found === undefined && this.#events.heard) this.#events.emit({ type: 'miss', key: request.key, reason: entry });
    return found?.value as T | undefined;
  }

  /** {@link get} for many keys, in order, by one request to the store. */
  getMany<T = unknown>(keys: readonly KeyInput[]): Promise<(T | undefined)[]> {
    return Promise.all(keys.map((key) => this.get<T>(key)));
  }

  /** Whether a tier may serve the key now. */
  async has(key: KeyInput): Promise<boolean> {
    return (await this.get(key)) !== undefined;
  }

  /**
   * This node's position: what `set` needs, taken before the value is read from its source. Before the node has reached its log
   * it is nowhere: nothing is kept under such a mark.
   */
  mark(): Token {
    const { view } = this.#node;
    return view.epoch === '' ? NO_MARK : formatToken({ epoch: view.epoch, number: view.applied });
  }

  /**
   * Keeps a value that was read elsewhere. The rule needs the position that the reading started from, so take
   * `cache.mark()` before it; a value written *by you* is better invalidated and loaded on demand.
   *
   * @returns whether it is kept: not where something covers it that came after the mark
   * @throws TidemarkError `INVALID_OPTION` without a mark
   * @example const mark = cache.mark(); const user = await db.user(42); cache.set(['user', 42], user, { mark })
   */
  set(key: KeyInput, value: unknown, options: SetOptions): boolean {
    this.#open();
    const name = canonicalKey(key);
    const mark = setMark(options?.mark);
    const settings = readSettings(options, this.#settings.defaults, 'set', ['mark', 'tags']);
    if (mark === undefined || value === undefined || !this.#settings.enabled) return false;
    const set = this.#labels.of(name, checkTags(options.tags));
    const own = keyLabel(name);
    const marked = { ...mark, high: own.high, low: own.low, shared: set.labels };
    // Read before something that covers it: nobody could be served it.
    if (this.#node.view.cover(marked, name) !== undefined) return false;
    const life = { bornAt: this.#now(), ttl: settings.memoryTtl, grace: settings.grace, provenAt: NEVER };
    this.#memory?.put(name, new Entry({ value, epoch: mark.epoch, mark: mark.mark, own, set }, life));
    void this.#store?.save(name, {
      value,
      ...mark,
      labels: [own, ...set.labels],
      age: 0,
      ttl: settings.storeTtl,
      grace: settings.grace,
    });
    return true;
  }

  /** Nobody is served what is under this key, or below it, any more: an `invalidate` of the key. */
  delete(key: KeyInput): Promise<Receipt> {
    return this.invalidate(keyTarget(canonicalKey(key)));
  }

  /**
   * A typed read-through function.
   *
   * @throws TidemarkError `INVALID_QUERY` when its name is taken, or above or below another's
   */
  query<A extends unknown[], T>(options: QueryOptions<A, T>): Query<A, T> {
    this.#open();
    const made = makeQuery(this.#host, options, this.#settings.defaults);
    this.#queries.add(options.name, options.version ?? 1);
    return made;
  }

  /** Wraps a function so that its results are cached: a {@link query} of this name. */
  remember<A extends unknown[], T>(
    name: string,
    load: (...args: A) => T | Promise<T>,
    options: Omit<QueryOptions<A, T>, 'name' | 'load'> = {},
  ): Query<A, T> {
    return this.query<A, T>({ ...options, name, load });
  }

  /**
   * Values that are all valid at one position of the log, retried where a record came between.
   *
   * @param requests a list of `query.request(...)`
   * @param options `timeout`: how long to look for such a position, default `'5s'`
   * @throws TidemarkError `NOT_CONSISTENT` when no such position was found in time; what a loader throws
   */
  async consistent<R extends readonly ReadRequestOf<unknown>[]>(
    requests: readonly [...R],
    options: { readonly timeout?: Duration } = {},
  ): Promise<{ [I in keyof R]: R[I] extends ReadRequestOf<infer T> ? T : never }> {
    const ms = milliseconds(options.timeout ?? '5s', 'timeout');
    this.#open();
    const wanted = requests.map((it) => this.#scoped(it.request));
    const past = wanted.some((it) => !this.#caches(it));
    const values = past
      ? await Promise.all(wanted.map((it) => this.#past(it)))
      : await this.#consistent.read(wanted, ms);
    return values as { [I in keyof R]: R[I] extends ReadRequestOf<infer T> ? T : never };
  }

  /**
   * Reads inside `fn` go to their loaders, and nothing of them is kept: for the inside of a database transaction, whose
   * snapshot is older, and which sees rows that nobody else may see yet. The first call turns on Node's tracking of
   * asynchronous calls, which makes every promise of the process slower.
   */
  bypass<T>(fn: () => T): T {
    return this.#scopes.enter({ bypass: true }, fn);
  }

  /**
   * Runs `work`, with all that it awaits, as one client's request: reads inside are never older than `token`, nor than what was
   * invalidated inside, whatever they tolerate; nothing is passed along. Inside another session it is that one, which takes the
   * token too: so is taken over what another service has answered. The first call turns on Node's tracking of asynchronous
   * calls, which makes every promise of the process slower.
   *
   * @param token what the client was told by {@link sessionToken}; `undefined` where it knows of nothing. Never an error: what
   * cannot be read stands for a write that nobody here has heard of, and costs loads
   * @example
   * const body = await cache.session(request.headers[SESSION_HEADER], async () => {
   *   await rename(42, 'Ada'); // invalidates
   *   return profile(42); // never the old name, here; nor elsewhere, with the token
   * });
   */
  session<T>(token: Token | undefined, work: () => T): T {
    return this.openSession(token).run(work);
  }

  /** {@link session} for a framework, which enters it more than once, and asks for its token where nothing leads back to it. */
  openSession(token?: Token): Session {
    const session =
      this.#scopes.current?.session ??
      new ClientSession({
        enter: (it, work) => this.#scopes.enter({ session: it }, work),
        makeToken: () => this.#node.makeToken(),
        removed: this.#removed,
      });
    if (token !== undefined) session.take(token);
    return session;
  }

  /**
   * Inside a session: what its answer has to hand to the client, in a header, for `session` of its next request. `undefined` where
   * nothing came in and nothing was invalidated, and outside of sessions.
   */
  sessionToken(): Token | undefined {
    return this.#scopes.current?.session?.token;
  }

  // --- writing

  /**
   * Covers every entry of the targets: once this has returned, this node serves nothing older, and no other node does for
   * longer than `maxLag`. Calls of one tick share one append. Never fails because of the log, see {@link Receipt}.
   *
   * @throws TidemarkError `INVALID_TARGET` for anything not made by `key`, `tag`, `pattern`, `everything` or `query.at`;
   * `INVALID_OPTION` for a cause or LSN that cannot be written, and where everywhere is asked of a cache that does not know its
   * fleet
   */
  invalidate(...targets: Target[]): Promise<Receipt>;
  invalidate(targets: readonly Target[], options?: InvalidateOptions): Promise<Receipt>;
  invalidate(...args: readonly unknown[]): Promise<Receipt> {
    try {
      this.#open();
      const together = Array.isArray(args[0]);
      const targets = (together ? args[0] : args) as readonly Target[];
      checkTargets(targets);
      const options = together ? (args[1] as InvalidateOptions | undefined) : undefined;
      // In a burst most calls end here, and share the promise of their record.
      if (options === undefined && !this.#events.heard && this.#settings.store?.reclaim === undefined)
        return this.#followed(this.#node.invalidate(targets));
      return this.#followed(this.#invalidate(targets, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Begins a strict write: withholds what the targets cover on every node, and resolves when every node has confirmed that, or must
   * have stopped serving. Call it inside the transaction, after its writes and right before COMMIT; then tell the
   * {@link StrictWrite} how it ended. From the moment `committed()` resolves with `strict: true` no reader anywhere is given
   * anything older, whatever they tolerate, as long as every process of the fleet has `strict: true`.
   *
   * @throws TidemarkError `NOT_CONFIRMED` after `timeout`, having closed the announcement: roll back; `INVALID_OPTION` where the
   * cache was made without `strict: true`, and for an id or cause that cannot be written; `INVALID_TARGET` as `invalidate`
   * @example
   * const write = await cache.announce([key('account', 7)]);
   * await transaction.commit();
   * await write.committed();
   */
  async announce(targets: readonly Target[], options: AnnounceOptions = {}): Promise<StrictWrite> {
    this.#open();
    if (!Array.isArray(targets)) throw notTargets('announce', targets);
    checkTargets(targets);
    checkDetails(options);
    const ms = milliseconds(options.timeout ?? '5s', 'timeout');
    if (!this.#settings.strict)
      throw new TidemarkError(
        'INVALID_OPTION',
        'announce() needs readers that honour strict writes. Make the cache of every process with createCache({ strict: true }).',
      );
    const announced = await this.#node.announce(targets, { id: options.id, cause: options.cause }, ms);
    let since = 0;
    const details = (about: CommittedOptions): DraftDetails => {
      since = this.#now();
      return recordDetails(about);
    };
    const write = strictWrite(announced, details, async (receipt, { cause }) => {
      const finished = this.#settings.store?.reclaim === undefined ? receipt : await this.#reclaimed(targets, receipt);
      if (this.#events.heard)
        this.#events.emit({ type: 'invalidated', targets, receipt: finished, cause, ms: this.#now() - since });
      return finished;
    });
    const committed = (about?: CommittedOptions): Promise<Receipt> => this.#followed(write.committed(about));
    return { ...write, committed };
  }

  // --- seeing and ending

  /** Calls `listener` with every {@link CacheEvent} until the returned function is called. */
  on(listener: Listener): Unsubscribe {
    return this.#events.on(listener);
  }

  /**
   * What an invalidation of these targets would take from this process's memory: the entries that it may still serve, and that
   * they cover. Serves nothing and changes nothing. It looks at every entry, for one to three microseconds each.
   *
   * An invalidation may take a few more: those that share their slots of the tide table with a target.
   *
   * @param options `most`: how many keys are named, default 100; the others are counted
   * @throws TidemarkError `INVALID_TARGET` as `invalidate`; `INVALID_OPTION`
   * @example cache.wouldCover([tag('org:7')]); // { keys: ['user:42'], more: 0 }
   */
  wouldCover(targets: readonly Target[], options: { readonly most?: number } = {}): Outlook {
    this.#open();
    if (!Array.isArray(targets)) throw notTargets('wouldCover', targets);
    if (targets.length > 0) checkTargets(targets);
    checkKnown(options, ['most'], 'wouldCover()');
    const most = wholeNumber(options.most ?? 100, 'most', 0);
    if (this.#memory === undefined) return { keys: [], more: 0 };
    return outlook(this.#memory, this.#node.view, this.#now(), targets, most);
  }

  /**
   * Where this node is. `announced`: strict writes that are open, anywhere in the fleet, as far as this node has applied the log.
   * Counting `tableFill`, the share of the tide table ever written, takes about a millisecond. */
  status(): {
    attached: boolean;
    position: Token;
    entries: number;
    bytes: number;
    loading: number;
    queued: number;
    announced: number;
    tableFill: number;
  } {
    return {
      attached: this.#node.attachedAt(this.#now()),
      position: this.mark(),
      entries: this.#memory?.size ?? 0,
      bytes: this.#memory?.bytes ?? 0,
      loading: this.#budget.running,
      queued: this.#node.view.pending.size,
      announced: this.#node.view.announcements.size,
      tableFill: this.#node.view.fill(),
    };
  }

  /**
   * Sends what is queued, for at most `drain` (default `'1s'`), and ends everything this cache started. A second call
   * returns the same.
   *
   * @returns how many invalidations could not be sent
   */
  async close(options: { readonly drain?: Duration } = {}): Promise<{ unsent: number }> {
    const ms = milliseconds(options.drain ?? '1s', 'drain');
    this.#closed ??= this.#close(ms);
    return this.#closed;
  }

  async #invalidate(targets: readonly Target[], options: InvalidateOptions | undefined): Promise<Receipt> {
    if (options !== undefined) checkDetails(options);
    const everywhere = this.#isEverywhere(options);
    const since = this.#now();
    const appended = await this.#node.invalidate(
      targets,
      options === undefined ? undefined : { ...recordDetails(options), confirm: everywhere || undefined },
    );
    const reclaimed = this.#settings.store?.reclaim === undefined ? appended : await this.#reclaimed(targets, appended);
    const receipt = everywhere
      ? Object.freeze({ ...reclaimed, everywhere: await this.#node.everywhere(appended) })
      : reclaimed;
    if (this.#events.heard)
      this.#events.emit({
        type: 'invalidated',
        targets,
        receipt,
        cause: options?.cause,
        ms: this.#now() - since,
      });
    return receipt;
  }

  /**
   * Frees the store's memory of what is covered, where the store can: after the append, since what was filled before it might
   * be filled again otherwise. What is queued is left to its TTL.
   */
  async #reclaimed(targets: readonly Target[], receipt: Receipt): Promise<Receipt> {
    if (receipt.status === 'queued') return receipt;
    const removed = await this.#store?.reclaim(targets);
    return removed === undefined ? receipt : Object.freeze({ ...receipt, removed });
  }

  #isEverywhere(options: InvalidateOptions | undefined): boolean {
    const acknowledged = options?.acknowledged ?? 'here';
    if (acknowledged === 'here') return false;
    if (acknowledged !== 'everywhere')
      throw new TidemarkError(
        'INVALID_OPTION',
        `acknowledged: ${shorten(acknowledged)} is neither 'here' nor 'everywhere'.`,
      );
    if (this.#node.knowsFleet) return true;
    throw new TidemarkError(
      'INVALID_OPTION',
      `acknowledged: 'everywhere' needs to know the nodes. Give createCache the part \`presence\` that belongs to its log.`,
    );
  }

  async #close(drain: number): Promise<{ unsent: number }> {
    this.#scopes.close();
    const unsent = await this.#node.close(drain);
    this.#fill.close();
    this.#shadow.close();
    this.#fleetBudget?.close();
    await this.#store?.settled();
    this.#sweep?.close();
    this.#memory?.clear();
    for (const part of this.#settings.owned) await part.close();
    return { unsent };
  }

  // --- inside

  readonly #host = {
    warm: (place: string, settings: ReadSettings, owner: object): Entry | undefined =>
      this.#warm(place, settings, owner, undefined),
    place: (path: string, version: number): string => placeOf(path, this.#placed ? version : 1),
    get: <T>(request: ReadRequest<T>): Promise<T> => this.#attempt(() => this.#get(request)),
    read: <T>(request: ReadRequest<T>): Promise<Provenance<T>> => this.#attempt(() => this.#read(request)),
    peek: <T>(request: ReadRequest<T>): T | undefined => {
      this.#open();
      const scoped = this.#scoped(request);
      const entry = this.#caches(scoped) ? this.#reads.inMemory(scoped, this.#now()) : undefined;
      return entry instanceof Entry ? (entry.value as T) : undefined;
    },
    shadow: (owner: object): ShadowCounts => this.#shadow.counts(owner),
    batch: <A extends unknown[], T>(loadMany: LoadMany<A, T>, timeout: number, size: number): Batch<A, T> =>
      new Batch({ loadMany, timeout, budget: this.#budget, clock: this.#settings.context.clock }, size),
  };

  /**
   * The entry, if memory may serve it to a reader with these settings and nothing else is to be done. On the way of every
   * hit: it allocates nothing.
   */
  #warm(
    place: string,
    settings: ReadSettings,
    owner: object | undefined,
    options: GetOptions | undefined,
  ): Entry | undefined {
    if (this.#closed !== undefined) return undefined;
    const entry = this.#memory?.get(place);
    if (entry === undefined || (owner !== undefined && entry.owner !== owner)) return undefined;
    if (options !== undefined && !suits(entry, options)) return undefined;
    if (settings.atLeast !== undefined || !this.#isOn(settings.mode, options)) return undefined;
    const scope = this.#scopes.current;
    if (scope !== undefined && (scope.bypass || !this.#reads.allows(scope, entry))) return undefined;
    const now = this.#node.follower.now();
    const eager = options?.eagerRefresh ?? settings.eagerRefresh;
    if (eager <= 1 && now - entry.bornAt > entry.ttl * eager) return undefined;
    if (this.#reads.refuse(entry, place, now) !== undefined) return undefined;
    if (this.#events.heard) this.#events.emit({ type: 'hit', key: keyOf(place), from: 'memory' });
    return entry;
  }

  async #get<T>(asked: ReadRequest<T>): Promise<T> {
    this.#open();
    const request = this.#scoped(asked);
    if (!this.#caches(request)) return (await this.#past(request)) as T;
    return (await this.#reads.read(request)).value as T;
  }

  async #read<T>(asked: ReadRequest<T>): Promise<Provenance<T>> {
    this.#open();
    const request = this.#scoped(asked);
    if (!this.#caches(request))
      return {
        value: (await this.#past(request)) as T,
        from: 'loader',
        stale: false,
        mark: undefined,
        age: 0,
      };
    return provenance<T>(await this.#reads.read(request));
  }

  /** With the scope that it is read in, which need not be the one that it was made in. */
  #scoped<T>(request: ReadRequest<T>): ReadRequest<T> {
    const scope = this.#scopes.current;
    return scope === undefined ? request : { ...request, scope };
  }

  /** The session that an invalidation is made in learns of it. */
  #followed(receipt: Promise<Receipt>): Promise<Receipt> {
    return this.#scopes.current?.session?.follow(receipt) ?? receipt;
  }

  /** A value that is loaded for this reader alone. */
  async #past(request: ReadRequest): Promise<unknown> {
    return this.#mode(request) === 'shadow' ? this.#shadow.read(request) : this.#fill.past(request);
  }

  #caches(request: ReadRequest): boolean {
    return this.#mode(request) === 'on';
  }

  #mode({ settings, scope }: ReadRequest, unsaid: ReadMode = this.#settings.optIn ? 'off' : 'on'): ReadMode {
    if (!this.#settings.enabled || scope?.bypass === true) return 'off';
    return settings.mode ?? unsaid;
  }

  /** Options that are wrong are not, and are refused where they are read. On the way of every hit. */
  #isOn(mode: ReadMode | undefined, options: GetOptions | undefined): boolean {
    const said = options?.enabled ?? options?.mode ?? mode;
    return said === undefined ? !this.#settings.optIn : said === true || said === 'on';
  }

  #request<T>(
    key: KeyInput,
    load: (ctx: LoadContext) => T | Promise<T>,
    options: GetOptions | undefined,
  ): ReadRequest<T> {
    if (typeof load !== 'function') {
      throw new TidemarkError(
        'INVALID_OPTION',
        `load: ${shorten(load)} is not a function. Give getOrSet() the function that reads the value; get() reads without one.`,
      );
    }
    const tags = checkTags(options?.tags);
    const name = canonicalKey(key);
    return {
      key: name,
      place: name,
      load,
      settings: readSettings(options, this.#settings.defaults, 'getOrSet', TAGS),
      tags: () => tags,
      owner: undefined,
    };
  }

  /** Errors of bad input reject, as all others do. */
  #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return work();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #now(): number {
    return this.#settings.context.stopwatch.now();
  }

  #open(): void {
    if (this.#closed === undefined) return;
    throw new TidemarkError('CLOSED', `The cache ${shorten(this.name)} is closed. Make a new one, or close it later.`);
  }
}

/** Makes a {@link Cache}. @throws TidemarkError `INVALID_OPTION`, naming the option and the cure, before anything was started */
export function createCache(options: CacheOptions): Cache {
  return new Cache(options);
}

/** The mark of a node that has never reached its log: nothing can be kept under it. */
const NO_MARK: Token = '1.none';

const NO_TAGS: readonly string[] = [];

const TAGS = ['tags'];

function nothing(): never {
  throw new TidemarkError('INVALID_QUERY', 'get() does not load');
}

/** Whether an entry may be a hit as far as the options of one call go: no token, and no tag that it does not have. */
function suits(entry: Entry, { atLeast, tags }: GetOptions): boolean {
  return atLeast === undefined && (tags === undefined || includesAll(entry.set.tags, tags));
}

function checkTags(tags: readonly string[] | undefined): readonly string[] {
  if (tags === undefined) return NO_TAGS;
  const given: unknown = tags;
  if (!Array.isArray(given))
    throw new TidemarkError('INVALID_TAG', `tags: ${shorten(tags)} is not an array. Write tags: ['org:7'].`);
  for (const tag of tags) checkTag(tag);
  return tags;
}

function checkTargets(targets: readonly Target[]): void {
  if (targets.length === 0)
    throw new TidemarkError('INVALID_TARGET', 'invalidate() was given nothing. Give it targets, or everything().');
  for (const it of targets) {
    if (isTarget(it)) continue;
    throw new TidemarkError(
      'INVALID_TARGET',
      `${shorten(it)} is not a target. Use key('user', 42), tag('org:7'), pattern('a:*'), everything(), or query.at(...).`,
    );
  }
}

function notTargets(method: string, targets: unknown): TidemarkError {
  return new TidemarkError(
    'INVALID_TARGET',
    `${method}() was given ${shorten(targets)}. Give it an array of targets, such as [key('user', 42)].`,
  );
}

/** @throws TidemarkError `INVALID_OPTION` or `INVALID_TOKEN` for a mark that is none */
function recordDetails({ id, cause, lsn, lsnMark }: CommittedOptions): DraftDetails {
  const after = lsnMark === undefined ? undefined : setMark(lsnMark);
  return { id, cause, lsn, lsnAfter: after && { epoch: after.epoch, number: after.mark } };
}

function setMark(mark: Token | undefined): { epoch: string; mark: number } | undefined {
  if (mark === NO_MARK) return undefined;
  const position: Position | undefined = typeof mark === 'string' ? parseToken(mark) : undefined;
  if (position !== undefined) return { epoch: position.epoch, mark: position.number };
  throw new TidemarkError(
    'INVALID_OPTION',
    'mark: set() needs the position that the value was read after. Take it first: const mark = cache.mark(); const user = await load(); cache.set(key, user, { mark }).',
  );
}
