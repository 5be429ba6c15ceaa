import { systemClock } from '../cache/system-clock.ts';
import { identifier } from './carrier.ts';
import { captureSettings } from './capture-options.ts';
import { type DatabaseOption, databaseOf, type Session } from './driver.ts';
import { judgeSlot, type SlotFacts, slotFacts } from './slot.ts';
import { sqlState } from './sql-state.ts';

/** The slot that capture reads, for people and tools. */
export interface SlotReport {
  readonly slot: string;
  /** Why capture cannot go on from it, or has missed something; `undefined` where all is well. */
  readonly problem: string | undefined;
  /** Whether somebody reads it. */
  readonly active: boolean;
  /** Bytes of the database's log that were not read yet, and that it keeps on the disk. */
  readonly lag: number;
  readonly retained: number;
}

/** What a database says of capture and outbox. What is not used there is `undefined`. */
export interface DatabaseReport {
  readonly slot: SlotReport | undefined;
  /** Rows that no relay has taken yet, and for how long the oldest has waited, in ms. */
  readonly outbox: { readonly waiting: number; readonly oldest: number } | undefined;
}

/**
 * Looks at what a relay has to do at a database, and changes nothing.
 *
 * @param given an address or a `pg.Pool`, of a role that may read the tables of `schema`
 * @param options as the relay's and capture's: `schema` and `slot`, default `'tidemark'`
 * @throws TidemarkError `INVALID_OPTION`; what the server answers
 * @example const { outbox } = await databaseReport('postgresql://relay@localhost/shop');
 */
export async function databaseReport(
  given: DatabaseOption,
  { schema = 'tidemark', slot = 'tidemark' }: { readonly schema?: string; readonly slot?: string } = {},
): Promise<DatabaseReport> {
  const settings = captureSettings({ slot }, '', schema);
  const session = await databaseOf(given, systemClock).session();
  try {
    const facts = await unlessMissing(slotFacts(session, settings));
    return { slot: facts && slotReport(slot, facts), outbox: await unlessMissing(outboxReport(session, schema)) };
  } finally {
    session.end();
  }
}

/** Neither a slot nor a trace of one: nobody captures here. */
function slotReport(slot: string, facts: SlotFacts): SlotReport | undefined {
  const { slot: found, state } = facts;
  if (found === undefined && state === undefined) return undefined;
  // That somebody else reads it is as it should be.
  const verdict = judgeSlot(slot, { ...facts, slot: found && { ...found, own: true } });
  const problem =
    verdict.status === 'good' ? undefined : verdict.status === 'gap' ? verdict.reason : verdict.error.message;
  const { lag = 0, retained = 0, activePid = null } = found ?? {};
  return { slot, problem, active: activePid !== null, lag, retained };
}

async function outboxReport(session: Session, schema: string): Promise<DatabaseReport['outbox']> {
  const [row] = await session.query(
    `SELECT count(*)::int AS waiting,
      coalesce(extract(epoch FROM clock_timestamp() - min(written_at)) * 1000, 0)::float8 AS oldest
    FROM ${identifier(schema)}.outbox`,
  );
  return { waiting: Number(row?.['waiting'] ?? 0), oldest: Number(row?.['oldest'] ?? 0) };
}

/** `undefined` where the tables were never made. */
async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (['42P01', '3F000'].includes(sqlState(error) ?? '')) return undefined;
    throw error;
  }
}
