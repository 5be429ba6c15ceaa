import { checkLogAccess, type LogAccessOptions } from '../cache/log-access.ts';
import { TidemarkError, shorten } from '../coherence/errors.ts';
import type { Reports } from '../cache/reports.ts';
import type { Part, PartContext } from '../coherence/part.ts';
import { identifier } from './carrier.ts';
import { type Database, type DatabaseOption, databaseOf } from './driver.ts';
import type { OutboxOptions } from './outbox.ts';
import type { SourceMaker } from './source.ts';

/** Options of {@link createRelay}. */
export interface RelayOptions extends LogAccessOptions {
  /** Where it says how it is, for `tidemark/operations`; `redis()` brings it. */
  readonly reports?: Part<Reports>;
  /** The primary: an address, a `pg.Pool` of which it keeps one or two clients, or a PGlite. No pooler in transaction mode. */
  readonly database: DatabaseOption;
  /** Where `tidemark postgres migrate` has put its tables. Default `'tidemark'`. */
  readonly schema?: string;
  /** Whether rows of the outbox are finished, and how. Default `true`. */
  readonly outbox?: boolean | OutboxOptions;
  /** Reads the database's own log, see `capture()`. Default: nothing does. */
  readonly capture?: SourceMaker;
  /** Whether loaders read replicas: then doubts about how far a replica must be are ended by the relay. Default `false`. */
  readonly replicas?: boolean;
}

/** What is known once they were checked. */
export interface RelaySettings {
  readonly context: PartContext;
  readonly database: Database;
  readonly schema: string;
  readonly outbox: OutboxOptions | undefined;
  readonly capture: SourceMaker | undefined;
  readonly replicas: boolean;
}

/** @throws TidemarkError `INVALID_OPTION` or `INVALID_KEY`; connects to nothing */
export function relaySettings(options: RelayOptions): RelaySettings {
  const context = checkLogAccess(options, 'createRelay', ['database', 'schema', 'outbox', 'capture', 'replicas']);
  const { schema = 'tidemark', outbox = true, capture, replicas = false } = options;
  identifier(schema);
  if (typeof outbox !== 'boolean' && (typeof outbox !== 'object' || outbox === null))
    throw invalid(`outbox: ${shorten(outbox)} is neither true, false nor { grace, poll, notify }.`);
  if (capture !== undefined && typeof capture !== 'function')
    throw invalid(`capture: ${shorten(capture)} is no source of changes. Give capture({ ... }).`);
  if (outbox === false && capture === undefined)
    throw invalid(
      'createRelay: there is nothing to relay. Leave out outbox: false, or give capture: capture({ ... }).',
    );
  return {
    context,
    database: databaseOf(options.database, context.clock),
    schema,
    outbox: outbox === false ? undefined : outbox === true ? {} : outbox,
    capture,
    replicas,
  };
}

function invalid(message: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', message);
}
