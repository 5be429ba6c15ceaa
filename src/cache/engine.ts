import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { RemovedGuards } from '../coherence/guards.ts';
import { keyOf } from '../coherence/key.ts';
import type { Unsubscribe } from '../coherence/log.ts';
import type { Logger } from '../coherence/logger.ts';
import { Node } from '../coherence/node.ts';
import type { LogRecord } from '../coherence/record.ts';
import { Budget } from './budget.ts';
import { type CacheOptions, type CacheSettings, cacheSettings } from './cache-options.ts';
import { Consistent } from './consistent.ts';
import { Events, type Listener, type ListenOptions } from './events.ts';
import { Fill } from './fill.ts';
import { FleetBudget } from './fleet-budget.ts';
import { journal } from './journal.ts';
import { LabelSets } from './label-set.ts';
import { MemoryTier } from './memory-tier.ts';
import { ReadPath, type Served } from './read-path.ts';
import type { ReadRequest } from './read-request.ts';
import { type SampleListener, type SampleOptions, type SampleParts, Samples, ServedSample } from './sample.ts';
import { Scopes } from './scope.ts';
import { Shadow } from './shadow.ts';
import { StoreTier } from './store-tier.ts';
import { Sweep } from './sweep.ts';
import { Tallies } from './tally.ts';
import { tracedLog } from './traced-log.ts';
import { Traces } from './traces.ts';

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
  readonly tallies: Tallies = new Tallies();
  readonly samples: Samples = new Samples();
  readonly traces: Traces;
  readonly budget: Budget;
  readonly fill: Fill;
  readonly path: ReadPath;
  readonly consistent: Consistent;
  readonly shadow: Shadow;
  readonly #fleetBudget: FleetBudget | undefined;
  readonly #sweep: Sweep | undefined;
  /** What samples ask. */
  readonly #sampling: SampleParts;
  #closed: Promise<{ unsent: number }> | undefined;

  /** @throws TidemarkError `INVALID_OPTION`, before anything was started */
  constructor(options: CacheOptions, removed: RemovedGuards) {
    const settings = cacheSettings(options, !removed.has('bothClocks'));
    this.settings = settings;
    this.removed = removed;
    this.events = eventsOf(settings);
    this.traces = new Traces(settings.tracing, settings.context.logger);
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
    this.#sampling = {
      node: this.node,
      past: async (request) => {
        this.checkOpen();
        return this.fill.past(request);
      },
      busy: () => this.budget.busy,
    };
    // What follows the log goes on for the life of the cache, and belongs to no request that happens to have made it.
    this.traces.apart(() => this.node.start());
  }

  /** The stopwatch, in ms. */
  now(): number {
    return this.settings.context.stopwatch.now();
  }

  /** See `Cache.on`. */
  listen(listener: Listener, options: ListenOptions): Unsubscribe {
    const end = this.events.on(listener, options);
    this.#retime();
    return () => {
      end();
      this.#retime();
    };
  }

  /** See `Cache.onSample`. */
  sampled(listener: SampleListener, options: SampleOptions): Unsubscribe {
    const end = this.samples.add(listener, options);
    this.#retime();
    return () => {
      end();
      this.#retime();
    };
  }

  /** Tells those who sample what was served, if they want it. @param at on the monotonic clock, in ms */
  sample(
    query: string | undefined,
    at: number,
    what: () => { readonly request: ReadRequest; readonly it: Served },
  ): void {
    try {
      this.samples.offer(query, at, () => {
        const { request, it } = what();
        return new ServedSample(request, it, at, this.#sampling);
      });
    } catch (error) {
      tell(this.settings.context.logger, error);
    }
  }

  #retime(): void {
    this.tallies.timing = this.events.readsHeard || this.samples.heard;
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
    const { node, memory, store, labels, scopes, events, tallies, traces, removed } = this;
    const { clock, stopwatch } = this.settings.context;
    return { node, memory, store, labels, scopes, events, tallies, traces, clock, stopwatch, removed };
  }

  #makeNode(): Node {
    const { context, log, presence, serveDetached, logOptions, patience, maxQueue, strict } = this.settings;
    return new Node({
      ...context,
      ...{ presence, patience, maxQueue, strict },
      log: this.traces.on ? tracedLog(log, this.traces, () => this.node.origin) : log,
      tolerance: serveDetached,
      options: logOptions,
      emit: (event) => {
        if (event.type === 'applied' || event.type === 'epoch' || event.type === 'resync') this.#sweep?.notice();
        if (event.type === 'applied') this.#trace(event.record);
        this.events.emit(event);
      },
      removed: this.removed,
    });
  }

  /** A record that carries a trace is part of it on every node that applies it. */
  #trace(record: LogRecord): void {
    const { traces, node } = this;
    const trace = record.cause?.trace;
    if (trace === undefined || !traces.on) return;
    const about = { trace, record, epoch: node.view.epoch, node: node.origin, at: node.follower.receivedAt };
    traces.span({ type: 'apply', ...about }, () => undefined);
  }

  #makeMemory(): MemoryTier | undefined {
    const { enabled, memory, freeze } = this.settings;
    if (!enabled || !memory) return undefined;
    return new MemoryTier(
      memory,
      freeze,
      (place, { owner }) => {
        if (this.events.heard) this.events.emit({ type: 'evicted', key: keyOf(place), query: owner?.query });
      },
      (place, entry) => this.node.view.cover(entry, place) !== undefined,
    );
  }

  #makeStore(): StoreTier | undefined {
    const { enabled, store, context, requestTimeout } = this.settings;
    if (!enabled || !store) return undefined;
    const { events, traces } = this;
    return new StoreTier({ ...this.settings, store, clock: context.clock, events, traces, timeout: requestTimeout });
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
  if (logger !== undefined)
    events.on(journal({ logger, wall: () => clock.wall(), logHits, logMisses }), {
      except: logHits ? ['read'] : ['hit', 'read'],
    });
  return events;
}

function tell(logger: Logger | undefined, error: unknown): void {
  try {
    logger?.error({ event: 'cache_listener', err: error }, 'cache_listener: a listener threw');
  } catch {
    // The logger itself fails: there is nobody left to tell, and reads must not suffer for it.
  }
}
