import type { LoadContext } from '../../src/cache/load-context.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { Value } from './history.ts';
import type { World } from './world.ts';

/** What a failing loader throws. */
class LoaderError extends Error {
  readonly load: number;

  constructor(load: number) {
    super(`load ${load} failed`);
    this.load = load;
  }
}

/** What an error of a read says of itself: its code, and the load that has failed. */
export function describeFailure(error: unknown): { readonly code: string; readonly load: number | undefined } {
  if (error instanceof LoaderError) return { code: 'LOADER', load: error.load };
  return { code: error instanceof Error && 'code' in error ? String(error.code) : 'LOADER', load: undefined };
}

/** Reads rows from the database as an application would: slowly, and not always with success. */
export class Loader {
  readonly #world: World;
  readonly #node: number;
  readonly #clock: VirtualClock;

  constructor(world: World, node: number, clock: VirtualClock) {
    this.#world = world;
    this.#node = node;
    this.#clock = clock;
  }

  /** Loads a row for the cache. */
  async load(row: number, ctx: LoadContext, shape: number): Promise<Value> {
    return this.#load([row], [ctx], shape).then((values) => values[0] as Value);
  }

  async loadMany(rows: readonly number[], contexts: readonly LoadContext[], shape: number): Promise<Value[]> {
    return this.#load(rows, contexts, shape);
  }

  async #load(rows: readonly number[], contexts: readonly LoadContext[], shape: number): Promise<Value[]> {
    const { history, latencies, random, loaders, plan, catalogue, numbers } = this.#world;
    const loads = rows.map((row) => {
      const load = ++numbers.load;
      history.add({ type: 'load', load, node: this.#node, row });
      return load;
    });
    await this.#pass(latencies.loaderBefore.draw());
    if (!loaders.calm && random.chance(plan.profile.loaderHangs + loaders.hangs)) await new Promise(() => {});
    const fails = !loaders.calm && random.chance(plan.profile.loaderFails + loaders.fails);
    const versions = rows.map((row, i) => this.#read(row, contexts[i] as LoadContext));
    await this.#answer(latencies.loaderAfter.draw());
    if (fails) {
      for (const load of loads) history.add({ type: 'load-failed', load });
      throw new LoaderError(loads[0] as number);
    }
    return rows.map((row, i) => {
      contexts[i]?.tag(catalogue.kind(row));
      if (!loaders.calm && random.chance(0.02)) contexts[i]?.skip();
      const { version, source } = versions[i] as { version: number; source: string };
      const load = loads[i] as number;
      history.add({ type: 'loaded', load, version, source });
      return { row, version, load, ...(shape === 1 ? {} : { shape }) };
    });
  }

  /** A replica may be read where it has replayed every commit behind the records that the cache has applied. */
  #read(row: number, ctx: LoadContext): { version: number; source: string } {
    const { plan, database, random } = this.#world;
    if (plan.replicaReads && ctx.lsn !== 'unknown' && random.chance(0.8)) {
      const version = database.replicaVersion(row, Number(ctx.lsn ?? 0));
      if (version !== undefined) return { version, source: 'replica' };
    }
    return { version: database.version(row), source: 'primary' };
  }

  /** Time in the process. */
  #pass(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.schedule(ms, resolve));
  }

  /** Time outside of it: an answer that arrives. */
  #answer(ms: number): Promise<void> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, () => this.#clock.deliver(resolve)));
  }
}
