import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  type InjectionToken,
  type ModuleMetadata,
  type NestModule,
} from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { type Cache, createCache } from '../cache/cache.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import type { HttpSessionOptions } from '../cache/http-session.ts';
import type { Duration } from '../coherence/duration.ts';
import { CacheLife, type CacheLifeParts } from './cache-life.ts';
import { cacheToken } from './cache-token.ts';
import { nestLogger } from './nest-logger.ts';

/** How a cache is found by the application's classes. */
export interface CacheRegistration {
  /** What `@InjectCache(as)` and `@Cached({ cache: as })` call it, where the application has several. */
  readonly as?: string;
  /** Whether modules that do not import this one may use the cache. Default true. */
  readonly isGlobal?: boolean;
}

/** A cache to make, which ends with the application, or one that is there, which does not. */
export type CacheSettings = (CacheOptions | { readonly cache: Cache }) & {
  /** For so long the application's end waits for invalidations that were not sent yet; default `'1s'`. */
  readonly drain?: Duration;
  /** What `@InvalidatesOn` listens on: `[EventEmitter2]`, `[EventBus]`, or other providers with `on` and `off`, or `subscribe`. */
  readonly events?: readonly InjectionToken[];
  /**
   * Each HTTP request is a session, so that a client that hands back the header `tidemark-position` reads its own writes on any
   * instance. Default `{}` for the cache that has no `as`, and `false` for the others, which would need the same header.
   */
  readonly sessions?: HttpSessionOptions<never> | false;
};

export interface CacheFactory extends CacheRegistration, Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (...injected: never[]) => CacheSettings | Promise<CacheSettings>;
}

const SETTINGS: InjectionToken = Symbol('tidemark.settings');

/** Gives a NestJS application a cache, and ends it with the application. It starts with or without the cache's servers. */
export class TidemarkModule implements NestModule {
  readonly #life: CacheLife;

  /** For NestJS; make it by {@link TidemarkModule.forRoot}. */
  constructor(life: CacheLife) {
    this.#life = life;
  }

  configure(): void {
    this.#life.configure();
  }

  /**
   * @param options those of `createCache`, whose log is the application's own where no `logger` is given; or `cache`
   * @throws TidemarkError `INVALID_OPTION` when the application starts
   * @example imports: [TidemarkModule.forRoot({ name: 'shop', ...redis({ url }) })]
   */
  static forRoot(options: CacheRegistration & CacheSettings): DynamicModule {
    const { as, isGlobal, ...settings } = options;
    return TidemarkModule.forRootAsync({
      ...(as !== undefined && { as }),
      ...(isGlobal !== undefined && { isGlobal }),
      useFactory: () => settings,
    });
  }

  /**
   * As {@link TidemarkModule.forRoot}, with options that come from other providers.
   *
   * @example TidemarkModule.forRootAsync({ inject: [Config], useFactory: (config: Config) => ({ name: 'shop', ...redis({ url: config.redis }) }) })
   */
  static forRootAsync({ as, isGlobal = true, imports = [], inject = [], useFactory }: CacheFactory): DynamicModule {
    const token = cacheToken(as);
    return {
      module: TidemarkModule,
      global: isGlobal,
      imports: [DiscoveryModule, ...imports],
      providers: [
        { provide: SETTINGS, inject, useFactory: useFactory as FactoryProvider['useFactory'] },
        { provide: token, inject: [SETTINGS], useFactory: cacheOf },
        {
          provide: CacheLife,
          inject: [token, SETTINGS, DiscoveryService, ModuleRef, { token: HttpAdapterHost, optional: true }],
          useFactory: (
            cache: Cache,
            settings: CacheSettings,
            discovery: DiscoveryService,
            modules: ModuleRef,
            http?: HttpAdapterHost,
          ) => new CacheLife({ cache, ...lifeOf(settings, as), discovery, modules, http }),
        },
      ],
      exports: [token],
    };
  }
}

// What a decorator would do, for a parameter: sources here have none, so that they run as they are.
Inject(CacheLife)(TidemarkModule, undefined, 0);

function lifeOf(
  settings: CacheSettings,
  as: string | undefined,
): Pick<CacheLifeParts, 'as' | 'owned' | 'drain' | 'events' | 'sessions'> {
  const { drain = '1s', events = [], sessions = as === undefined ? {} : false } = settings;
  return { as, owned: !('cache' in settings), drain, events, sessions: sessions === false ? undefined : sessions };
}

function cacheOf(settings: CacheSettings): Cache {
  if ('cache' in settings) return settings.cache;
  const { drain: _drain, events: _events, sessions: _sessions, ...options } = settings;
  return createCache({ logger: nestLogger(), ...options });
}
