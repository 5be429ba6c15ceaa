import type { Cache, Logger } from 'tidemark';
import type { Calendar } from './calendar.ts';
import type { Claims } from './claims.ts';
import type { Sql } from './database.ts';
import type { Mailbox } from './mailbox.ts';
import type { SagaListener } from './saga.ts';
import type { Transact } from './transact.ts';

/** What the sagas work with. */
export interface Shop {
  readonly cache: Cache;
  readonly sql: Sql;
  readonly transact: Transact;
  readonly claims: Claims;
  readonly calendar: Calendar;
  readonly mailbox: Mailbox;
  readonly logger: Logger;
  readonly tell: SagaListener;
}
