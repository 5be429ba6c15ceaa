import { shorten, TidemarkError } from '../coherence/errors.ts';
import { canonicalKey, isVersioned, type KeyInput, keyOf, placeOf } from '../coherence/key.ts';
import { Batch, type LoadMany } from './batch.ts';
import { checkTags, type GetOptions } from './call-options.ts';
import type { Engine } from './engine.ts';
import { Entry, NEVER } from './entry.ts';
import type { CacheEvent, From } from './events.ts';
import { includesAll } from './label-set.ts';
import type { LoadContext } from './load-context.ts';
import type { MemoryTier } from './memory-tier.ts';
import type { QueryHost } from './query.ts';
import { type ReadMode, type ReadSettings, readSettings } from './read-options.ts';
import { type Provenance, provenance, type ReadPath, type Served, served } from './read-path.ts';
import { type ReadRequest, subjectOf } from './read-request.ts';
import type { ShadowCounts } from './shadow-counts.ts';
import type { Tally } from './tally.ts';

/**
 * The calls that read, before the read path: a hit in memory that leaves nothing else to be done ends here; else whether the cache
 * is read at all (switched off, measured only, past it), and by whom (see `Scope`).
 */
export class Reads implements QueryHost {
  readonly #engine: Engine;
  // On the way of every hit.
  readonly #memory: MemoryTier | undefined;
  readonly #path: ReadPath;
  readonly #optIn: boolean;
  readonly #byKey: Tally;
  /**
   * The last that was told, kept for its shape: at a major collection V8 forgets the shapes of which nothing lives, and with them all
   * code that it has compiled for whoever listens. Without it a hit took a third longer after each.
   */
  #told: CacheEvent | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#memory = engine.memory;
    this.#path = engine.path;
    this.#optIn = engine.settings.optIn;
    this.#byKey = engine.tallies.byKey;
  }

  getOrSet<T>(key: KeyInput, load: (ctx: LoadContext) => T | Promise<T>, options: GetOptions | undefined): Promise<T> {
    // A warm hit: no I/O, one promise. A string that is not canonical is not found under itself, and takes the long way.
    if (typeof key === 'string' && !isVersioned(key)) {
      const since = this.#byKey.due ? this.now() : NEVER;
      const entry = this.#warm(key, this.#engine.settings.defaults, undefined, options);
      if (entry !== undefined) {
        if (since > NEVER) this.answered(key, undefined, entry, since, () => this.#request(key, load, options));
        return Promise.resolve(entry.value as T);
      }
    }
    return attempt(() => this.#get(this.#request(key, load, options)));
  }

  /** What a tier may serve; never loads. */
  async find<T>(key: KeyInput): Promise<T | undefined> {
    const { events, fill } = this.#engine;
    this.#engine.checkOpen();
    const request = this.#scoped(this.#request<T>(key, nothing, undefined));
    // Who only looks has nothing to opt in to.
    if (this.#mode(request, 'on') !== 'on') return undefined;
    const reached = this.#path.reached(request);
    const isReached = reached instanceof Promise ? await reached : reached;
    const entry = this.#path.inMemory(request, this.#engine.now());
    if (entry instanceof Entry) {
      this.#byKey.hit();
      if (events.hitsHeard) events.emit({ type: 'hit', ...subjectOf(request), from: 'memory' });
      return entry.value as T;
    }
    const found = isReached ? await fill.find(request) : undefined;
    if (found === undefined && events.heard) events.emit({ type: 'miss', ...subjectOf(request), reason: entry });
    return found?.value as T | undefined;
  }

  /** @param ms how long to look for a position at which all are valid */
  async consistent(asked: readonly ReadRequest[], ms: number): Promise<unknown[]> {
    this.#engine.checkOpen();
    const requests = asked.map((it) => this.#scoped(it));
    if (requests.some((it) => !this.#caches(it))) return Promise.all(requests.map((it) => this.#past(it)));
    return this.#engine.consistent.read(requests, ms);
  }

  // --- what a query needs

  warm(place: string, settings: ReadSettings, owner: Tally): Entry | undefined {
    return this.#warm(place, settings, owner, undefined);
  }

  tally(path: string): Tally {
    return this.#engine.tallies.add(path);
  }

  now(): number {
    return this.#engine.settings.context.clock.monotonic();
  }

  answered(place: string, query: string | undefined, entry: Entry, since: number, request: () => ReadRequest): void {
    const now = this.now();
    this.#answered(keyOf(place), query, 'memory', false, now - since);
    const engine = this.#engine;
    if (engine.samples.heard)
      engine.sample(query, now, () => ({ request: request(), it: served(entry, false, engine.now()) }));
  }

  place(path: string, version: number): string {
    return placeOf(path, this.#engine.removed.has('versionPlace') ? 1 : version);
  }

  get<T>(request: ReadRequest<T>): Promise<T> {
    return attempt(() => this.#get(request));
  }

  read<T>(request: ReadRequest<T>): Promise<Provenance<T>> {
    return attempt(() => this.#read(request));
  }

  peek<T>(request: ReadRequest<T>): T | undefined {
    this.#engine.checkOpen();
    const scoped = this.#scoped(request);
    const entry = this.#caches(scoped) ? this.#path.inMemory(scoped, this.#engine.now()) : undefined;
    return entry instanceof Entry ? (entry.value as T) : undefined;
  }

  shadow(owner: Tally): ShadowCounts {
    return this.#engine.shadow.counts(owner);
  }

  batch<A extends unknown[], T>(loadMany: LoadMany<A, T>, timeout: number, size: number): Batch<A, T> {
    const { budget, settings } = this.#engine;
    return new Batch({ loadMany, timeout, budget, clock: settings.context.clock }, size);
  }

  // --- inside

  /**
   * The entry, if memory may serve it to a reader with these settings and nothing else is to be done. On the way of every
   * hit: it allocates nothing.
   */
  #warm(
    place: string,
    settings: ReadSettings,
    owner: Tally | undefined,
    options: GetOptions | undefined,
  ): Entry | undefined {
    const engine = this.#engine;
    if (engine.closed) return undefined;
    const entry = this.#memory?.get(place);
    if (entry === undefined || (owner !== undefined && entry.owner !== owner)) return undefined;
    if (options !== undefined && !suits(entry, options)) return undefined;
    if (settings.atLeast !== undefined || !this.#isOn(settings.mode, options)) return undefined;
    const scope = engine.scopes.current;
    if (scope !== undefined && (scope.bypass || !this.#path.allows(scope, entry))) return undefined;
    const now = engine.node.follower.now();
    const eager = options?.eagerRefresh ?? settings.eagerRefresh;
    if (eager <= 1 && now - entry.bornAt > entry.ttl * eager) return undefined;
    if (this.#path.refuse(entry, place, now) !== undefined) return undefined;
    (owner ?? this.#byKey).hit();
    if (engine.events.hitsHeard)
      engine.events.emit({ type: 'hit', key: keyOf(place), query: owner?.query, from: 'memory' });
    return entry;
  }

  async #get<T>(asked: ReadRequest<T>): Promise<T> {
    this.#engine.checkOpen();
    const request = this.#scoped(asked);
    try {
      if (!this.#caches(request)) return (await this.#past(request)) as T;
      return (await this.#through(request)).value as T;
    } catch (error) {
      return this.#instead(request, error);
    }
  }

  async #read<T>(asked: ReadRequest<T>): Promise<Provenance<T>> {
    this.#engine.checkOpen();
    const request = this.#scoped(asked);
    const apart = { stale: false, mark: undefined, age: 0 };
    try {
      if (this.#caches(request)) return provenance<T>(await this.#through(request));
      return { ...apart, from: 'loader', value: (await this.#past(request)) as T };
    } catch (error) {
      return { ...apart, from: 'fallback', value: await this.#instead(request, error) };
    }
  }

  /**
   * What a reader is given in place of an error. Every load, and whoever shares or keeps what it brings, has ended with that error by
   * now: so nobody else can be given it.
   */
  async #instead<T>(request: ReadRequest<T>, error: unknown): Promise<T> {
    if (request.fallback === undefined) throw error;
    const value = await request.fallback(error);
    this.#engine.events.emit({ type: 'fallback', ...subjectOf(request), error });
    return value;
  }

  /** Through the cache; those who listen hear of it. */
  #through(request: ReadRequest): Promise<Served> {
    const { events, samples } = this.#engine;
    if (!events.readsHeard && !samples.heard) return this.#path.read(request);
    const since = this.now();
    return this.#path.read(request).then((it) => {
      const now = this.now();
      const { key, query } = subjectOf(request);
      this.#answered(key, query, it.from, it.stale, now - since);
      if (samples.heard) this.#engine.sample(query, now, () => ({ request, it }));
      return it;
    });
  }

  #answered(key: string, query: string | undefined, from: From, stale: boolean, ms: number): void {
    const { events } = this.#engine;
    if (!events.readsHeard) return;
    this.#told = { type: 'read', key, query, from, stale, ms };
    events.emit(this.#told);
  }

  /** With the scope that it is read in, which need not be the one that it was made in. */
  #scoped<T>(request: ReadRequest<T>): ReadRequest<T> {
    const scope = this.#engine.scopes.current;
    return scope === undefined ? request : { ...request, scope };
  }

  /** A value that is loaded for this reader alone. */
  async #past(request: ReadRequest): Promise<unknown> {
    const { shadow, fill } = this.#engine;
    return this.#mode(request) === 'shadow' ? shadow.read(request) : fill.past(request);
  }

  #caches(request: ReadRequest): boolean {
    return this.#mode(request) === 'on';
  }

  #mode({ settings, scope }: ReadRequest, unsaid: ReadMode = this.#optIn ? 'off' : 'on'): ReadMode {
    if (!this.#engine.settings.enabled || scope?.bypass === true) return 'off';
    return settings.mode ?? unsaid;
  }

  /** Options that are wrong are not, and are refused where they are read. On the way of every hit. */
  #isOn(mode: ReadMode | undefined, options: GetOptions | undefined): boolean {
    const said = options?.enabled ?? options?.mode ?? mode;
    return said === undefined ? !this.#optIn : said === true || said === 'on';
  }

  #request<T>(
    key: KeyInput,
    load: (ctx: LoadContext) => T | Promise<T>,
    options: GetOptions | undefined,
  ): ReadRequest<T> {
    if (typeof load !== 'function')
      throw new TidemarkError(
        'INVALID_OPTION',
        `load: ${shorten(load)} is not a function. Give getOrSet() the function that reads the value; get() reads without one.`,
      );
    const tags = checkTags(options?.tags);
    const name = canonicalKey(key);
    const settings = readSettings(options, this.#engine.settings.defaults, 'getOrSet', TAGS);
    return { key: name, place: name, load, settings, tags: () => tags, owner: undefined };
  }
}

const TAGS = ['tags'];

function nothing(): never {
  throw new TidemarkError('INVALID_QUERY', 'get() does not load');
}

/** Errors of bad input reject, as all others do. */
function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Whether an entry may be a hit as far as the options of one call go: no token, and no tag that it does not have. */
function suits(entry: Entry, { atLeast, tags }: GetOptions): boolean {
  return atLeast === undefined && (tags === undefined || includesAll(entry.set.tags, tags));
}
