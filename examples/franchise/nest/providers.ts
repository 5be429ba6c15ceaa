import type { Provider } from '@nestjs/common';
import type { Cache } from 'tidemark';
import { cacheToken } from 'tidemark/nestjs';
import { createCommit } from '../domain/change.ts';
import type { Sql } from '../domain/database.ts';
import { createReports, type Reports } from '../domain/reports.ts';
import { createDomainRules } from '../domain/rules.ts';

export const SQL = Symbol('sql');
export const REPORTS = Symbol('reports');
export const COMMIT = Symbol('commit');

/** The domain, which knows nothing of NestJS, put together from its cache and its database. */
export const domain: Provider[] = [
  {
    provide: REPORTS,
    inject: [cacheToken(), SQL],
    useFactory: (cache: Cache, sql: Sql) => createReports(cache, sql),
  },
  {
    provide: COMMIT,
    inject: [cacheToken(), SQL, REPORTS],
    useFactory: (cache: Cache, sql: Sql, reports: Reports) => createCommit(sql, createDomainRules(cache, reports)),
  },
];
