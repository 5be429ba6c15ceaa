import { type Duration, milliseconds } from '../coherence/duration.ts';
import { NO_GUARD_REMOVED, type RemovedGuards } from '../coherence/guards.ts';
import { canonicalKey, type KeyInput, keyOf } from '../coherence/key.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { keyLabel } from '../coherence/label.ts';
import type { Unsubscribe } from '../coherence/log.ts';
import type { Token } from '../coherence/position.ts';
import type { Receipt } from '../coherence/receipt.ts';
import { key as keyTarget, type Target } from '../coherence/target.ts';
import type { BreakerBoard } from './breaker.ts';
import type { CacheOptions } from './cache-options.ts';
import {
  checkTags,
  checkTargets,
  type GetOptions,
  type InvalidateOptions,
  notTargets,
  positionOfMark,
  type SetOptions,
} from './call-options.ts';
import type { CacheParts } from './cache-parts.ts';
import { type CacheStatus, positionOf, statusOf } from './cache-status.ts';
import { Engine } from './engine.ts';
import { Entry, NEVER } from './entry.ts';
import type { Listener, ListenOptions } from './events.ts';
import { type Inspection, inspect } from './inspection.ts';
import { Invalidations } from './invalidations.ts';
import type { LoadContext } from './load-context.ts';
import { wholeNumber } from './log-access.ts';
import { type Outlook, outlook } from './outlook.ts';
import { makeQuery, type Query, QueryNames, type QueryOptions, type ReadRequestOf } from './query.ts';
import { readSettings } from './read-options.ts';
import { Reads } from './reads.ts';
import type { SampleListener, SampleOptions } from './sample.ts';
import { ClientSession, type Session } from './session.ts';
import type { AnnounceOptions, StrictWrite } from './strict-write.ts';
import type { Counts } from './tally.ts';

/**
 * A cache that serves an entry only if no record after its mark covers it.
 *
 * It works from its first call: until it is attached to its log, reads go to their loaders.
 */
export class Cache {
  readonly #engine: Engine;
  readonly #reads: Reads;
  readonly #invalidations: Invalidations;
  readonly #queries = new QueryNames();

  /** @param removed guards taken out by the simulation, to show that each is needed */
  constructor(options: CacheOptions, removed: RemovedGuards = NO_GUARD_REMOVED) {
    this.#engine = new Engine(options, removed);
    this.#reads = new Reads(this.#engine);
    this.#invalidations = new Invalidations(this.#engine);
  }

  get name(): string {
    return this.#engine.settings.context.name;
  }

  /** Where the breakers of this cache's fleet tell each other what they find: for the `board` of a breaker. It ends with the cache. */
  get breakers(): BreakerBoard {
    return this.#engine.settings.breakers;
  }

  /**
   * Resolves when this node is attached to its log. Nothing has to wait for it.
   *
   * @throws TidemarkError `NOT_READY` after `timeout`, default `'5s'`
   */
  async ready(options: { readonly timeout?: Duration } = {}): Promise<void> {
    const ms = milliseconds(options.timeout ?? '5s', 'timeout');
    this.#engine.checkOpen();
    const { node } = this.#engine;
    if (!node.attachedAt(this.#engine.now())) await node.ready(ms);
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
    return this.#reads.getOrSet(key, load, options);
  }

  /** The value under a key, if a tier may serve it; never loads. */
  get<T = unknown>(key: KeyInput): Promise<T | undefined> {
    return this.#reads.find(key);
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
    return positionOf(this.#engine);
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
    const { settings: own, node, labels, memory, store } = this.#engine;
    this.#engine.checkOpen();
    const name = canonicalKey(key);
    const mark = positionOfMark(options?.mark);
    const settings = readSettings(options, own.defaults, 'set', ['mark', 'tags']);
    if (mark === undefined || value === undefined || !own.enabled) return false;
    const set = labels.of(name, checkTags(options.tags));
    const label = keyLabel(name);
    const marked = { ...mark, high: label.high, low: label.low, shared: set.labels };
    // Read before something that covers it: nobody could be served it.
    if (node.view.cover(marked, name) !== undefined) return false;
    const { grace, memoryTtl, storeTtl } = settings;
    const life = { bornAt: this.#engine.now(), ttl: memoryTtl, grace, provenAt: NEVER };
    memory?.put(name, new Entry({ value, epoch: mark.epoch, mark: mark.mark, own: label, set }, life));
    void store?.save(name, { value, ...mark, labels: [label, ...set.labels], age: 0, ttl: storeTtl, grace });
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
    this.#engine.checkOpen();
    const made = makeQuery(this.#reads, options, this.#engine.settings.defaults);
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
    const values = await this.#reads.consistent(
      requests.map((it) => it.request),
      ms,
    );
    return values as { [I in keyof R]: R[I] extends ReadRequestOf<infer T> ? T : never };
  }

  /**
   * Reads inside `fn` go to their loaders, and nothing of them is kept: for the inside of a database transaction, whose
   * snapshot is older, and which sees rows that nobody else may see yet. The first call turns on Node's tracking of
   * asynchronous calls, which makes every promise of the process slower.
   */
  bypass<T>(fn: () => T): T {
    return this.#engine.scopes.enter({ bypass: true }, fn);
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
    const { scopes, node, removed } = this.#engine;
    const session =
      scopes.current?.session ??
      new ClientSession({
        enter: (it, work) => scopes.enter({ session: it }, work),
        makeToken: () => node.makeToken(),
        removed,
      });
    if (token !== undefined) session.take(token);
    return session;
  }

  /**
   * Inside a session: what its answer has to hand to the client, in a header, for `session` of its next request. `undefined` where
   * nothing came in and nothing was invalidated, and outside of sessions.
   */
  sessionToken(): Token | undefined {
    return this.#engine.scopes.current?.session?.token;
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
      const together = Array.isArray(args[0]);
      const targets = (together ? args[0] : args) as readonly Target[];
      const options = together ? (args[1] as InvalidateOptions | undefined) : undefined;
      return this.#invalidations.invalidate(targets, options);
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
  announce(targets: readonly Target[], options: AnnounceOptions = {}): Promise<StrictWrite> {
    return this.#invalidations.announce(targets, options);
  }

  // --- seeing and ending

  /**
   * Calls `listener` with every {@link CacheEvent} until the returned function is called. A listener to hits makes a warm hit
   * slower, since each is an event then: `{ except: ['hit'] }` for one that can do without.
   */
  on(listener: Listener, options: ListenOptions = {}): Unsubscribe {
    return this.#engine.listen(listener, options);
  }

  /** How many hits there were, by query: those of memory are not counted otherwise, unless every one is listened to. */
  counts(): readonly Counts[] {
    return this.#engine.tallies.counts();
  }

  /**
   * Calls `listener` with what readers are served, as {@link Sample}s that can be compared with their source: of reads that memory
   * answers one in 128, and every other. It must be quick, and choose: `wants` before a sample is made.
   */
  onSample(listener: SampleListener, options: SampleOptions = {}): Unsubscribe {
    return this.#engine.sampled(listener, options);
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
    const { memory, node } = this.#engine;
    this.#engine.checkOpen();
    if (!Array.isArray(targets)) throw notTargets('wouldCover', targets);
    if (targets.length > 0) checkTargets(targets);
    checkKnown(options, ['most'], 'wouldCover()');
    const most = wholeNumber(options.most ?? 100, 'most', 0);
    if (memory === undefined) return { keys: [], more: 0 };
    return outlook(memory, node.view, this.#engine.now(), targets, most);
  }

  /**
   * Where this node is. `announced`: strict writes that are open, anywhere in the fleet, as far as this node has applied the log.
   * Counting `tableFill`, the share of the tide table ever written, takes about a millisecond. `provenAge`: milliseconds since what is
   * known of the log was proved; the node serves while it is at most `maxLag`.
   */
  status(): CacheStatus {
    return statusOf(this.#engine);
  }

  /**
   * What the tiers have under a key, and why each entry may be served or may not: its mark, and the newest record that covers each
   * of its labels. Serves nothing, loads nothing, and counts as no use.
   *
   * @throws TidemarkError `INVALID_KEY`, `CLOSED`
   * @example (await cache.inspect('user:42')).entries[0]?.verdict; // 'fresh'
   */
  inspect(key: KeyInput): Promise<Inspection> {
    this.#engine.checkOpen();
    return inspect(this.#engine, canonicalKey(key));
  }

  /**
   * The keys in this process's memory that are `prefix` or below it, the most recently used last; `''` for all. Whether they may be
   * served is not asked.
   *
   * @param options `most`: how many, default 100
   * @throws TidemarkError `INVALID_KEY`, `INVALID_OPTION`
   */
  keys(prefix: KeyInput = '', options: { readonly most?: number } = {}): readonly string[] {
    checkKnown(options, ['most'], 'keys()');
    const most = wholeNumber(options.most ?? 100, 'most', 0);
    const path = prefix === '' ? '' : canonicalKey(prefix);
    const found = new Set<string>();
    for (const [place] of this.#engine.memory?.oldestFirst() ?? []) {
      const key = keyOf(place);
      if (path === '' || key === path || key.startsWith(`${path}:`)) found.add(key);
    }
    return [...found].slice(-most || found.size);
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#engine.closed;
  }

  /** What this cache was made of, for tools; see `tidemark/operations`. */
  get parts(): CacheParts {
    const { settings, node, traces } = this.#engine;
    const { context, presence, reports, diagnostics } = settings;
    const traceparent = (): string | undefined => traces.traceparent();
    return { context, node: node.origin, presence, reports, diagnostics, traceparent };
  }

  /**
   * Sends what is queued, for at most `drain` (default `'1s'`), and ends everything this cache started. A second call
   * returns the same.
   *
   * @returns how many invalidations could not be sent
   */
  async close(options: { readonly drain?: Duration } = {}): Promise<{ unsent: number }> {
    const ms = milliseconds(options.drain ?? '1s', 'drain');
    return this.#engine.close(ms);
  }
}

/** Makes a {@link Cache}. @throws TidemarkError `INVALID_OPTION`, naming the option and the cure, before anything was started */
export function createCache(options: CacheOptions): Cache {
  return new Cache(options);
}
