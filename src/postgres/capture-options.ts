import { type Duration, milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { bytes, type Size } from '../cache/size.ts';
import { identifier } from './carrier.ts';
import { type CaptureTables, mappingsOf, type TableMapping } from './mapping.ts';

/** How changes of the database are captured from its log. */
export interface CaptureOptions {
  /** What changes make stale, by table; see {@link captureTables}. Without it only the messages of transactions are read. */
  readonly tables?: CaptureTables;
  /** Default `'tidemark'`. */
  readonly publication?: string;
  /** The replication slot; its name is the server's, for all its databases. Default `'tidemark'`. */
  readonly slot?: string;
  /**
   * How much of its log the server may keep for the slot while it does not get less; then the slot is dropped, rather than the
   * disk filled. Default `'1gb'`.
   */
  readonly maxRetained?: Size;
  /**
   * Whether a slot that is gone is made anew without asking (`'automatic'`), or by `tidemark postgres setup --recreate`
   * (`'manual'`, default). Everything is invalidated either way.
   */
  readonly recreate?: 'manual' | 'automatic';
  /** Targets of one table in one transaction; one that has more counts as a change of the whole table. Default 10,000. */
  readonly maxTargets?: number;
  /** How long the message of a transaction is left to its writer, who mostly appends it itself. Default `'20ms'`. */
  readonly grace?: Duration;
}

/** Options that were checked. */
export interface CaptureSettings {
  readonly mappings: ReadonlyMap<string, TableMapping>;
  readonly publication: string;
  readonly slot: string;
  /** Of the table `capture`. */
  readonly schema: string;
  /** What the server knows the relay's connections by. */
  readonly application: string;
  /** In bytes. */
  readonly maxRetained: number;
  readonly recreate: boolean;
  readonly maxTargets: number;
  /** In ms. */
  readonly grace: number;
}

/**
 * Checks options, before anything is connected.
 *
 * @param name the log's: relays of one name take over from one another
 * @throws TidemarkError `INVALID_OPTION`
 */
export function captureSettings(options: CaptureOptions, name: string, schema: string): CaptureSettings {
  if (typeof options !== 'object' || options === null)
    throw new TidemarkError('INVALID_OPTION', `capture: ${shorten(options)} is no object. Give { tables }.`);
  checkKnown(options, ['tables', 'publication', 'slot', 'maxRetained', 'recreate', 'maxTargets', 'grace'], 'capture');
  const {
    tables = {},
    publication = 'tidemark',
    slot = 'tidemark',
    recreate = 'manual',
    maxTargets = 10_000,
  } = options;
  identifier(publication);
  identifier(schema);
  if (typeof slot !== 'string' || !/^[a-z0-9_]{1,63}$/.test(slot))
    throw new TidemarkError(
      'INVALID_OPTION',
      `capture.slot: ${shorten(slot)} is no name of a slot. Use 1 to 63 of a to z, 0 to 9 and _.`,
    );
  // The client of the protocol writes it as it is.
  if (!/^[\w-]+$/.test(publication))
    throw new TidemarkError(
      'INVALID_OPTION',
      `capture.publication: ${shorten(publication)} is not supported. Use letters, digits, _ and -.`,
    );
  if (recreate !== 'manual' && recreate !== 'automatic')
    throw new TidemarkError(
      'INVALID_OPTION',
      `capture.recreate: ${shorten(recreate)} is neither 'manual' nor 'automatic'.`,
    );
  if (!Number.isSafeInteger(maxTargets) || maxTargets < 1)
    throw new TidemarkError(
      'INVALID_OPTION',
      `capture.maxTargets: ${shorten(maxTargets)} is not a whole number from 1 on.`,
    );
  return {
    mappings: mappingsOf(tables),
    publication,
    slot,
    schema,
    // The server replaces what is not ASCII, and cuts.
    application: `tidemark:${name}`.replace(/[^ -~]/g, '?').slice(0, 60),
    maxRetained: bytes(options.maxRetained ?? '1gb', 'capture.maxRetained'),
    recreate: recreate === 'automatic',
    maxTargets,
    grace: milliseconds(options.grace ?? 20, 'capture.grace'),
  };
}
