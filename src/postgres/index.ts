export { type CaptureMaker, capture } from './capture.ts';
export type { CaptureEvent } from './capture-event.ts';
export type { CaptureOptions } from './capture-options.ts';
export type { CaptureStatus } from './capture-progress.ts';
export type { Carrier } from './carrier.ts';
export type { Changes } from './changes.ts';
export { type DatabaseReport, databaseReport, type SlotReport } from './database-report.ts';
export { type CaptureTable, type CaptureTables, captureTables } from './mapping.ts';
export { migrate, migrationScript } from './migrations.ts';
export type { PgPool, PgPoolClient, PgQueryable, PgTransaction } from './pg.ts';
export type { Pglite, PgliteTransaction, PgliteTransactionClient } from './pglite.ts';
export type { PostgresJsSql, PostgresJsTransaction } from './postgres-js.ts';
export { type ReplicaContext, type ReplicaDatabases, type ReplicaReadOptions, replicaRead } from './replica-read.ts';
export { Repository, type Work } from './repository.ts';
export { createRelay, type Relay, type RelayStatus } from './relay.ts';
export type { RelayEvent, RelayListener } from './relay-event.ts';
export type { RelayOptions } from './relay-options.ts';
export { captureSetupScript, setupCapture } from './setup.ts';
export { createTouches, type TouchMap, type Touches } from './touches.ts';
export type {
  Announced,
  Committed,
  DataLayer,
  Invalidator,
  Isolation,
  TransactionOptions,
  TransactionsOptions,
} from './transaction.ts';
export { createTransactions, type DriverTransactions, type RunTransaction } from './transactions.ts';
