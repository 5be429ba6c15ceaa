import type { InjectionToken } from '@nestjs/common';
import type { DiscoveryService, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import type { Cache } from '../cache/cache.ts';
import type { HttpSessionOptions } from '../cache/http-session.ts';
import type { Duration } from '../coherence/duration.ts';
import { DecoratedClasses } from './decorated-classes.ts';
import { connectRules } from './event-rules.ts';
import { beginSessions } from './request-sessions.ts';

export interface CacheLifeParts {
  readonly cache: Cache;
  /** The `as` of its registration. */
  readonly as: string | undefined;
  /** Whether the cache ends with the application. */
  readonly owned: boolean;
  readonly drain: Duration;
  /** What `@InvalidatesOn` listens on. */
  readonly events: readonly InjectionToken[];
  /** `undefined` for none. */
  readonly sessions: HttpSessionOptions<never> | undefined;
  readonly discovery: DiscoveryService;
  readonly modules: ModuleRef;
  /** Without an adapter where the application does not speak HTTP. */
  readonly http: HttpAdapterHost | undefined;
}

/** A cache from the application's start to its end; Nest calls the hooks. */
export class CacheLife {
  readonly #parts: CacheLifeParts;
  #connections: ReturnType<typeof connectRules> = [];

  constructor(parts: CacheLifeParts) {
    this.#parts = parts;
  }

  /** Before the routes are there. */
  configure(): void {
    const { cache, sessions, http } = this.#parts;
    const adapter = http?.httpAdapter;
    if (sessions !== undefined && adapter !== undefined) beginSessions(adapter, cache, sessions);
  }

  async onModuleInit(): Promise<void> {
    const { cache, as, discovery, events, modules } = this.#parts;
    try {
      const classes = new DecoratedClasses(discovery, as);
      classes.prepare(cache);
      const sources = events.map((token) => modules.get<unknown>(token, { strict: false }));
      this.#connections = connectRules(cache, classes.eventRules, sources);
    } catch (error) {
      // Of an application that does not start, Nest calls no other hook.
      await this.onApplicationShutdown();
      throw error;
    }
  }

  /** After the last request was answered: the events and invalidations that wait are done, for at most `drain` each. */
  async onApplicationShutdown(): Promise<void> {
    const { cache, owned, drain } = this.#parts;
    await Promise.all(this.#connections.map((it) => it.close({ drain })));
    if (owned) await cache.close({ drain });
  }
}
