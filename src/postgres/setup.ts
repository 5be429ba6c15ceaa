import { systemClock } from '../cache/system-clock.ts';
import { TidemarkError } from '../coherence/errors.ts';
import type { CaptureMaker } from './capture.ts';
import { identifier } from './carrier.ts';
import { checkMappings, checkServer } from './capture-check.ts';
import { captureError } from './capture-error.ts';
import { type CaptureSettings, captureSettings } from './capture-options.ts';
import { type DatabaseOption, databaseOf, type Session } from './driver.ts';
import type { TableMapping } from './mapping.ts';
import { mappingProblems } from './mapping-problem.ts';
import { publishedTables } from './publication.ts';
import { judgeSlot, openGap, slotFacts } from './slot.ts';
import { makeSlot } from './slot-keeping.ts';
import type { SourceMaker } from './source.ts';

/** What is set up. */
export interface SetupOptions {
  /** As the relay is given it: `capture({ ... })`. Without it only the messages of transactions are captured. */
  readonly capture?: SourceMaker | undefined;
  /** As the relay's. Default `'tidemark'`. */
  readonly schema?: string;
  /** Whether a slot that is of no use any more is made anew. Default `false`. */
  readonly recreate?: boolean;
}

function settingsOf({ capture, schema = 'tidemark' }: SetupOptions): CaptureSettings {
  if (capture !== undefined && !('options' in capture))
    throw new TidemarkError(
      'INVALID_OPTION',
      'capture: this is a source of your own. Give one made by capture({ ... }).',
    );
  return captureSettings((capture as CaptureMaker | undefined)?.options ?? {}, 'setup', schema);
}

/**
 * Makes what capture needs and is not there: the publication, its tables, the slot. What is there and serves stays as it is.
 *
 * @param given an address or a `pg.Pool`, of a role that owns the tables and may replicate
 * @returns what was done, and what is recommended, a line each
 * @throws TidemarkError `INVALID_OPTION` for what somebody has to mend first, with the statement; nothing is half done that a
 * second run would not finish
 */
export async function setupCapture(given: DatabaseOption, options: SetupOptions = {}): Promise<readonly string[]> {
  const { recreate = false } = options;
  const settings = settingsOf(options);
  const session = await databaseOf(given, systemClock).session();
  try {
    await checkServer(session, settings.schema);
    const done = await setUpPublication(session, settings);
    await checkMappings(session, settings.publication, settings.mappings);
    // Before anything is read from the slot: what was changed until now was not published.
    if (done.length > 0) await openGap(session, settings.schema, settings.slot, 'the publication was set up');
    return [...done, ...(await setUpSlot(session, settings, recreate)), ...(await advice(session))];
  } catch (error) {
    throw captureError(error, settings.slot);
  } finally {
    session.end();
  }
}

async function setUpPublication(session: Session, { publication, mappings }: CaptureSettings): Promise<string[]> {
  const published = await publishedTables(session, publication, mappings.values());
  if (published === undefined) {
    await session.query(createPublication(publication, mappings.values()));
    return [`made the publication ${publication}`];
  }
  const missing = mappingProblems(publication, published, mappings).filter(({ cure }) =>
    / ADD TABLE [^;]+;$/.test(cure),
  );
  const added = missing.filter(({ cure }) => !cure.includes('DROP TABLE'));
  for (const { cure } of added) await session.query(cure);
  return added.map(({ problem }) => `${problem.split(' is not ')[0]} was added to the publication ${publication}`);
}

function createPublication(publication: string, mappings: Iterable<TableMapping>): string {
  const tables = [...mappings].map(({ schema, table }) => `${identifier(schema)}.${identifier(table)}`);
  const of = tables.length === 0 ? '' : ` FOR TABLE ${tables.join(', ')}`;
  return `CREATE PUBLICATION ${identifier(publication)}${of} WITH (publish_via_partition_root = true)`;
}

async function setUpSlot(session: Session, settings: CaptureSettings, recreate: boolean): Promise<string[]> {
  const { slot, schema } = settings;
  const facts = await slotFacts(session, settings);
  // That a relay reads it is as it should be.
  const verdict = judgeSlot(slot, { ...facts, slot: facts.slot && { ...facts.slot, own: true } });
  if (verdict.status === 'wrong') throw verdict.error;
  if (verdict.status === 'good' || verdict.exists) return [`the slot ${slot} is there`];
  // The first time there is nothing to be lost by making it.
  if (facts.state !== undefined && facts.state.acknowledged > 0n && !recreate)
    throw new TidemarkError(
      'INVALID_OPTION',
      `The replication slot ${slot} is of no use any more: ${verdict.reason}. Run "tidemark postgres setup --recreate": everything is invalidated once.`,
    );
  await makeSlot(session, schema, slot);
  return [`made the slot ${slot}: everything is invalidated once, when a relay begins to read it`];
}

async function advice(session: Session): Promise<string[]> {
  const [row] = await session.query("SELECT current_setting('max_slot_wal_keep_size') AS size");
  return row?.['size'] === '-1'
    ? [
        "recommended: while no relay runs the slot keeps the log on the disk without end. Give it a limit: ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; SELECT pg_reload_conf();",
      ]
    : [];
}

/** The same as statements, for those who run their own; behind the migrations. */
export function captureSetupScript(options: Omit<SetupOptions, 'recreate'> = {}): string {
  const { publication, slot, schema, mappings } = settingsOf(options);
  const table = `${identifier(schema)}.capture`;
  const literal = `'${slot}'`;
  return [
    '-- In the database whose changes are captured, as the owner of its tables; wal_level has to be logical.',
    `${createPublication(publication, mappings.values())};`,
    `-- As a role with the attribute REPLICATION. Waits for the transactions that run.`,
    `SELECT pg_create_logical_replication_slot(${literal}, 'pgoutput');`,
    '-- Everything is invalidated once, when a relay begins to read it.',
    `INSERT INTO ${table} (slot, acknowledged, gap) VALUES (${literal}, '0/0', 'the slot was made, ' || clock_timestamp())`,
    '  ON CONFLICT (slot) DO UPDATE SET gap = excluded.gap;',
    "-- Recommended: ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; SELECT pg_reload_conf();",
    '',
  ].join('\n');
}
