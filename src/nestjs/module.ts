import { Inject, Logger } from '@nestjs/common';
import type { DynamicModule, FactoryProvider, InjectionToken, ModuleMetadata, NestModule } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { CacheLife, CachePlan, cacheToken, type PlanSettings, textLogger } from '../decorators/index.ts';
import type { Cache } from '../index.ts';

/** A cache to make, which ends with the application, or one that is there, which does not. */
export type CacheSettings = PlanSettings<InjectionToken>;

/** How a cache is found by the application's classes. */
export interface CacheRegistration {
  /** What `@InjectCache(as)` and `@Cached({ cache: as })` call it, where the application has several. */
  readonly as?: string | undefined;
  /** Whether modules that do not import this one may use the cache. Default true. */
  readonly isGlobal?: boolean | undefined;
}

/** A registration whose settings come from other providers, as a factory of NestJS says it. */
export type CacheFactory = CacheRegistration &
  Pick<ModuleMetadata & FactoryProvider<CacheSettings>, 'imports' | 'inject' | 'useFactory'>;

/** Gives a NestJS application a cache, and ends it with the application. It starts with or without the cache's servers. */
export class TidemarkModule implements NestModule {
  declare private readonly modules: ModuleRef;

  /** Before the routes are there; without an adapter where the application does not speak HTTP. */
  configure(): void {
    const { httpAdapter } = this.modules.get(HttpAdapterHost, { strict: false });
    if (httpAdapter !== undefined) this.modules.get(CacheLife).beginSessions(httpAdapter.getInstance());
  }

  async onModuleInit(): Promise<void> {
    const discovery = this.modules.get(DiscoveryService, { strict: false });
    await this.modules.get(CacheLife).start([...discovery.getProviders(), ...discovery.getControllers()], {
      lasts: (it) => it.isDependencyTreeStatic() && !it.isTransient,
      resolve: (token: InjectionToken) => this.modules.get<unknown>(token, { strict: false }),
    });
  }

  /** After the last request was answered. */
  async onApplicationShutdown(): Promise<void> {
    await this.modules.get(CacheLife).end();
  }

  /**
   * @param options those of `createCache`, whose log is the application's own where no `logger` is given; or `cache`
   * @throws TidemarkError `INVALID_OPTION` when the application starts
   * @example imports: [TidemarkModule.forRoot({ name: 'shop', ...redis({ url }) })]
   */
  static forRoot({ as, isGlobal, ...settings }: CacheRegistration & CacheSettings): DynamicModule {
    return TidemarkModule.forRootAsync({ as, isGlobal, useFactory: () => settings });
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
        { provide: CachePlan, inject, useFactory: CachePlan.from(useFactory, as, textLogger(new Logger('Tidemark'))) },
        { provide: token, inject: [CachePlan], useFactory: (plan: CachePlan) => plan.makeCache() },
        { provide: CacheLife, inject: [CachePlan, token], useFactory: (plan: CachePlan, it: Cache) => plan.life(it) },
      ],
      exports: [token],
    };
  }
}

// What a decorator would do: sources here have none, so that they run as they are.
Inject(ModuleRef)(TidemarkModule.prototype, 'modules');
