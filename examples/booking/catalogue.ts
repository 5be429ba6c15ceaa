import type { Cache, Query } from 'tidemark';
import type { Sql } from './database.ts';

export interface Service {
  readonly id: string;
  readonly name: string;
  readonly minutes: number;
}

export interface Staff {
  readonly id: string;
  readonly name: string;
  readonly calendarId: string;
}

/** What changes once in a while, and is asked for with every page. */
export interface Catalogue {
  readonly services: Query<[], readonly Service[]>;
  readonly staff: Query<[], readonly Staff[]>;
}

/** Declares the two queries; nothing is read before somebody asks. */
export function createCatalogue(cache: Cache, sql: Sql): Catalogue {
  return {
    services: cache.query({
      name: 'catalogue:services',
      load: () => sql.query<Service>('select id, name, minutes from booking.service order by id'),
      ttl: '10m',
      grace: '1h',
    }),
    staff: cache.query({
      name: 'catalogue:staff',
      load: () => sql.query<Staff>('select id, name, calendar_id as "calendarId" from booking.staff order by id'),
      ttl: '10m',
      grace: '1h',
    }),
  };
}
