import type { DynamicModule, FactoryProvider, InjectionToken, ModuleMetadata } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, ModuleRef } from '@nestjs/core';
import { type Cache, createCache } from '../cache/cache.ts';
import type { CacheOptions } from '../cache/cache-options.ts';
import type { Duration } from '../coherence/duration.ts';
import { CacheLife } from './cache-life.ts';
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
};

export interface CacheFactory extends CacheRegistration, Pick<ModuleMetadata, 'imports'> {
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory: (...injected: never[]) => CacheSettings | Promise<CacheSettings>;
}

const SETTINGS: InjectionToken = Symbol('tidemark.settings');

/** Gives a NestJS application a cache, and ends it with the application. It starts with or without the cache's servers. */
// oxlint-disable-next-line typescript/no-extraneous-class -- NestJS knows a module by its class
export class TidemarkModule {
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
          inject: [token, SETTINGS, DiscoveryService, ModuleRef],
          useFactory: (cache: Cache, settings: CacheSettings, discovery: DiscoveryService, modules: ModuleRef) => {
            const { drain = '1s', events = [] } = settings;
            return new CacheLife({ cache, as, owned: !('cache' in settings), drain, events, discovery, modules });
          },
        },
      ],
      exports: [token],
    };
  }
}

function cacheOf(settings: CacheSettings): Cache {
  if ('cache' in settings) return settings.cache;
  const { drain: _drain, events: _events, ...options } = settings;
  return createCache({ logger: nestLogger(), ...options });
}
