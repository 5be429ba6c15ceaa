import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { TidemarkModule } from 'tidemark/nestjs';
import { cacheOptions } from '../domain/cache.ts';
import { Tenants } from '../domain/tenants.ts';
import type { ServiceParts } from '../service.ts';
import { ChangesController } from './changes.controller.ts';
import { ClosingInterceptor } from './closing.interceptor.ts';
import { JsonOnlyGuard } from './json-only.guard.ts';
import { TenantGuard } from './org-id.ts';
import { ProblemFilter } from './problem-filter.ts';
import { domain, SQL } from './providers.ts';
import { ReportsController } from './reports.controller.ts';

/** The service, the only place where all of it is put together. */
export function franchiseModule({ sql, tenants, redisUrl }: ServiceParts): DynamicModule {
  return {
    module: FranchiseModule,
    imports: [TidemarkModule.forRoot(cacheOptions(redisUrl))],
    controllers: [ReportsController, ChangesController],
    providers: [
      { provide: SQL, useValue: sql },
      { provide: Tenants, useValue: tenants },
      { provide: APP_GUARD, useClass: TenantGuard },
      { provide: APP_GUARD, useClass: JsonOnlyGuard },
      { provide: APP_INTERCEPTOR, useClass: ClosingInterceptor },
      { provide: APP_FILTER, useClass: ProblemFilter },
      ...domain,
    ],
  };
}

// oxlint-disable-next-line typescript/no-extraneous-class -- NestJS knows a module by its class
class FranchiseModule {}
