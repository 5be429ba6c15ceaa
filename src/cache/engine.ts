import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { RemovedGuards } from '../coherence/guards.ts';
import { keyOf } from '../coherence/key.ts';
import type { Logger } from '../coherence/logger.ts';
import { Node } from '../coherence/node.ts';
import { Budget } from './budget.ts';
import { type CacheOptions, type CacheSettings, cacheSettings } from './cache-options.ts';
import { Consistent } from './consistent.ts';
import { Events } from './events.ts';
import { Fill } from './fill.ts';
import { FleetBudget } from './fleet-budget.ts';
import { journal } from './journal.ts';
import { LabelSets } from './label-set.ts';
import { MemoryTier } from './memory-tier.ts';
import { ReadPath } from './read-path.ts';
import { Scopes } from './scope.ts';
import { Shadow } from './shadow.ts';
import { StoreTier } from './store-tier.ts';
import { Sweep } from './sweep.ts';

/** What a cache is made of, put together, from its start to its end. */
export class Engine {
  readonly settings: CacheSettings;
  readonly removed: RemovedGuards;
  readonly events: Events;
  readonly node: Node;
  readonly memory: MemoryTier | undefined;
  readonly store: StoreTier | undefined;
  readonly labels: LabelSets = new LabelSets();
  readonly scopes: Scopes = new Scopes();
  readonly budget: Budget;
  readonly fill: Fill;
  readonly path: ReadPath;
  readonly consistent: Consistent;
  readonly shadow: Shadow;
  readonly #fleetBudget: FleetBudget | undefined;
  readonly #sweep: Sweep | undefined;
  #closed: Promise<{ unsent: number }> | undefined;

  /** @throws TidemarkError `INVALID_OPTION`, before anything was started */
  constructor(options: CacheOptions, removed: RemovedGuards) {
    const settings = cacheSettings(options, !removed.has('bothClocks'));
    this.settings = settings;
    this.removed = removed;
    this.events = eventsOf(settings);
    this.node = this.#makeNode();
    this.memory = this.#makeMemory();
    this.store = this.#makeStore();
    const { clock, random } = settings.context;
    const { requestTimeout: timeout, fleetLoads, check, lease, serveDetached, strict } = settings;
    if (fleetLoads !== undefined)
      this.#fleetBudget = new FleetBudget({ ...fleetLoads, events: this.events, clock, timeout });
    this.budget = new Budget(settings.concurrency, this.#fleetBudget);
    const parts = this.#parts();
    this.fill = new Fill({ ...parts, check, lease, budget: this.budget, random, timeout });
    this.path = new ReadPath({ ...parts, fill: this.fill, serveDetached, strict });
    this.consistent = new Consistent({ ...parts, reads: this.path });
    this.shadow = new Shadow({ ...parts, reads: this.path, fill: this.fill });
    this.#sweep = this.#makeSweep();
    this.node.start();
  }

  /** The stopwatch, in ms. */
  now(): number {
    return this.settings.context.stopwatch.now();
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** @throws TidemarkError `CLOSED` */
  checkOpen(): void {
    if (this.#closed === undefined) return;
    const { name } = this.settings.context;
    throw new TidemarkError('CLOSED', `The cache ${shorten(name)} is closed. Make a new one, or close it later.`);
  }

  /** Sends what is queued, for at most `drain` ms, and ends everything; a second call returns the same. */
  close(drain: number): Promise<{ unsent: number }> {
    this.#closed ??= this.#end(drain);
    return this.#closed;
  }

  async #end(drain: number): Promise<{ unsent: number }> {
    this.scopes.close();
    const unsent = await this.node.close(drain);
    this.fill.close();
    this.shadow.close();
    this.#fleetBudget?.close();
    await this.store?.settled();
    this.#sweep?.close();
    this.memory?.clear();
    for (const part of this.settings.owned) await part.close();
    return { unsent };
  }

  /** What most parts need. */
  #parts() {
    const { node, memory, store, labels, scopes, events, removed } = this;
    const { clock, stopwatch } = this.settings.context;
    return { node, memory, store, labels, scopes, events, clock, stopwatch, removed };
  }

  #makeNode(): Node {
    const { context, log, presence, serveDetached, logOptions, patience, maxQueue, strict } = this.settings;
    return new Node({
      ...context,
      ...{ log, presence, patience, maxQueue, strict },
      tolerance: serveDetached,
      options: logOptions,
      emit: (event) => {
        if (event.type === 'applied' || event.type === 'epoch' || event.type === 'resync') this.#sweep?.notice();
        this.events.emit(event);
      },
      removed: this.removed,
    });
  }

  #makeMemory(): MemoryTier | undefined {
    const { enabled, memory, freeze } = this.settings;
    if (!enabled || !memory) return undefined;
    return new MemoryTier(
      memory,
      freeze,
      (place) => this.events.emit({ type: 'evicted', key: keyOf(place) }),
      (place, entry) => this.node.view.cover(entry, place) !== undefined,
    );
  }

  #makeStore(): StoreTier | undefined {
    const { enabled, store, context, requestTimeout } = this.settings;
    if (!enabled || !store) return undefined;
    const { events } = this;
    return new StoreTier({ ...this.settings, store, clock: context.clock, events, timeout: requestTimeout });
  }

  #makeSweep(): Sweep | undefined {
    const { memory, node, path } = this;
    if (memory === undefined) return undefined;
    const { clock } = this.settings.context;
    return new Sweep({ memory, view: node.view, clock, now: () => this.now(), tolerance: () => path.tolerance });
  }
}

/** Events of a cache, and its log as the first listener. */
function eventsOf({ context: { logger, clock }, logHits, logMisses }: CacheSettings): Events {
  const events = new Events((error) => tell(logger, error));
  if (logger !== undefined) events.on(journal({ logger, wall: () => clock.wall(), logHits, logMisses }));
  return events;
}

function tell(logger: Logger | undefined, error: unknown): void {
  try {
    logger?.error({ event: 'cache_listener', err: error }, 'cache_listener: a listener threw');
  } catch {
    // The logger itself fails: there is nobody left to tell, and reads must not suffer for it.
  }
}
