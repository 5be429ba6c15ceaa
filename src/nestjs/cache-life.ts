import type { DiscoveryService } from '@nestjs/core';
import type { Cache } from '../cache/cache.ts';
import type { Duration } from '../coherence/duration.ts';
import { DecoratedClasses } from './decorated-classes.ts';

/** A cache from the application's start to its end; Nest calls the hooks. */
export class CacheLife {
  readonly #cache: Cache;
  readonly #settings: { readonly as: string | undefined; readonly owned: boolean; readonly drain: Duration };
  readonly #discovery: DiscoveryService;

  /** @param settings `owned`: whether the cache ends with the application */
  constructor(
    cache: Cache,
    settings: { readonly as: string | undefined; readonly owned: boolean; readonly drain: Duration },
    discovery: DiscoveryService,
  ) {
    this.#cache = cache;
    this.#settings = settings;
    this.#discovery = discovery;
  }

  async onModuleInit(): Promise<void> {
    try {
      new DecoratedClasses(this.#discovery, this.#settings.as).prepare(this.#cache);
    } catch (error) {
      // Of an application that does not start, Nest calls no other hook.
      await this.onApplicationShutdown();
      throw error;
    }
  }

  /** After the last request was answered: what it invalidated is sent, for at most `drain`. */
  async onApplicationShutdown(): Promise<void> {
    const { owned, drain } = this.#settings;
    if (owned) await this.#cache.close({ drain });
  }
}
