import { TidemarkError } from '../coherence/errors.ts';
import type { Session } from './driver.ts';
import { openGap } from './slot.ts';

/** How long making a slot may wait for the transactions that run, in ms; less than a statement may take. */
const PATIENCE = 8_000;

/**
 * Makes a slot, in the place of another one where that is there. Everything has to be invalidated afterwards: that is written
 * down with it.
 *
 * A crash between the two leaves a slot that is further than what is written down, or of which nothing is: a gap as well.
 *
 * @throws TidemarkError `INVALID_OPTION` where transactions run for too long; what the server throws
 */
export async function makeSlot(session: Session, schema: string, slot: string): Promise<void> {
  await dropSlot(session, slot);
  await session.query(`SET statement_timeout = ${PATIENCE}`);
  try {
    await session.query("SELECT FROM pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  } catch (error) {
    if ((error as { code?: unknown }).code !== '57014') throw error;
    throw new TidemarkError('INVALID_OPTION', await runningText(session), { cause: error });
  } finally {
    await session.query('RESET statement_timeout').catch(() => {});
  }
  await openGap(session, schema, slot, 'the slot was made');
}

/** Drops a slot, if there is one that nobody reads. */
export async function dropSlot(session: Session, slot: string): Promise<void> {
  await session.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1', [
    slot,
  ]);
}

/** How often, and how long in between in seconds, a reader that was told to end is waited for. */
const TIMES = 40;
const MOMENT = 0.05;

/**
 * Ends a connection that still reads the slot for a relay of this name: the one before, whose host is gone or hangs. It does not
 * have the lock any more.
 */
export async function endReader(
  session: Session,
  { slot, application }: { readonly slot: string; readonly application: string },
): Promise<void> {
  const own = `FROM pg_replication_slots s JOIN pg_stat_activity a ON a.pid = s.active_pid
    WHERE s.slot_name = $1 AND a.usename = current_user AND a.application_name = $2`;
  await session.query(`SELECT pg_terminate_backend(a.pid) ${own}`, [slot, application]);
  for (let i = 0; i < TIMES; i++) {
    const left = await session.query(`SELECT pg_sleep(${MOMENT}) ${own}`, [slot, application]);
    if (left.length === 0) return;
  }
}

async function runningText(session: Session): Promise<string> {
  const rows = await session.query(
    `SELECT pid, round(extract(epoch FROM clock_timestamp() - xact_start))::text AS age FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 5`,
  );
  const list = rows.map(({ pid, age }) => `${String(pid)} (for ${String(age)} s)`).join(', ');
  return `A replication slot is made once all transactions have ended that run at that time, and some run for long: server processes ${list || 'unknown'}. End them, or run it again when they have ended.`;
}
