import { shorten, TidemarkError } from '../coherence/errors.ts';
import { identifier } from './carrier.ts';
import type { Session } from './driver.ts';
import { formatLsn, parseLsn } from './lsn.ts';

/** A slot as the server knows it. */
export interface ServerSlot {
  readonly plugin: string | null;
  readonly database: string | null;
  readonly activePid: number | null;
  /** Whether the connection that reads it is one of this relay's, or of one that it has taken over from. */
  readonly own: boolean;
  readonly acknowledged: bigint | undefined;
  /** Why it is of no use any more. */
  readonly lost: string | undefined;
  /** How far the end of the log is ahead of what is acknowledged, in bytes. */
  readonly lag: number;
  /** How much of the log it keeps on the server's disk, in bytes. */
  readonly retained: number;
}

/** What was written down of it. */
export interface SlotState {
  readonly acknowledged: bigint;
  readonly gap: string | null;
  readonly publication: string | null;
  readonly timeline: string | null;
}

/** All that decides whether a slot can be read on. */
export interface SlotFacts {
  readonly slot: ServerSlot | undefined;
  readonly state: SlotState | undefined;
  readonly database: string;
  /** Of the server's log: another one after a failover. */
  readonly timeline: string;
  /** Changes with what is published. */
  readonly publication: string;
}

/** What to do about a slot. */
export type SlotVerdict =
  | { readonly status: 'good' }
  /** Changes may have been missed. `exists`: it can be read from here on. */
  | { readonly status: 'gap'; readonly reason: string; readonly exists: boolean }
  /** Somebody has to mend something. */
  | { readonly status: 'wrong'; readonly error: TidemarkError };

/**
 * Whether nothing was missed since what is written down. What is acknowledged is written down before the slot is told, so a
 * slot that is further was moved, or made anew, by somebody else.
 */
export function judgeSlot(name: string, facts: SlotFacts): SlotVerdict {
  const { slot, state } = facts;
  if (slot === undefined) return gap(state === undefined ? 'there is no slot yet' : 'the slot was dropped', false);
  const wrong = wrongSlot(name, slot, facts);
  if (wrong !== undefined) return { status: 'wrong', error: new TidemarkError('INVALID_OPTION', wrong) };
  if (slot.lost !== undefined) return gap(`the slot was invalidated (${slot.lost})`, false);
  if (state === undefined) return gap('the slot was made by somebody else', true);
  if (state.gap !== null) return gap(state.gap, true);
  if (slot.acknowledged === undefined || slot.acknowledged > state.acknowledged)
    return gap('the slot was moved, or made anew, by somebody else', true);
  if (state.timeline !== facts.timeline) return gap('the server has failed over, or was restored', true);
  if (state.publication !== facts.publication) return gap('the publication was changed', true);
  return { status: 'good' };
}

function gap(reason: string, exists: boolean): SlotVerdict {
  return { status: 'gap', reason, exists };
}

function wrongSlot(
  name: string,
  { plugin, database, activePid, own }: ServerSlot,
  facts: SlotFacts,
): string | undefined {
  const other = `Give capture a slot of its own: capture: { slot: ${JSON.stringify(`${name}_2`)} }, and run "tidemark postgres setup".`;
  if (plugin === null) return `The replication slot ${shorten(name)} is a physical one. ${other}`;
  if (plugin !== 'pgoutput')
    return `The replication slot ${shorten(name)} is one of the plugin ${plugin}, not of pgoutput. ${other}`;
  if (database !== facts.database)
    return `The replication slot ${shorten(name)} belongs to the database ${shorten(database)}, not to ${shorten(facts.database)}. ${other}`;
  if (activePid !== null && !own)
    return `The replication slot ${shorten(name)} is in use by another reader, the server process ${activePid}. End that reader, or else: ${other}`;
  return undefined;
}

const numeric = (value: unknown): number => Number(value ?? 0);

/**
 * Asks for all that decides.
 *
 * @param application what this relay's own connections call themselves
 */
export async function slotFacts(
  session: Session,
  {
    slot,
    publication,
    schema,
    application,
  }: { slot: string; publication: string; schema: string; application: string },
): Promise<SlotFacts> {
  const [server] = await session.query(
    `SELECT current_database() AS database, current_setting('server_version_num')::int AS version,
      substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS timeline`,
  );
  // Rows of a catalog that were made anew, or changed, are of another transaction.
  const rows = (catalog: string, of: string): string =>
    `coalesce((SELECT string_agg(r::text || r.xmin::text, ',' ORDER BY r.oid) FROM ${catalog} r WHERE r.${of} = p.oid), '')`;
  const parts = [rows('pg_publication_rel', 'prpubid')];
  if (numeric(server?.['version']) >= 150_000) parts.push(rows('pg_publication_namespace', 'pnpubid'));
  const [published] = await session.query(
    `SELECT md5(p::text || p.xmin::text || ${parts.join(' || ')}) AS mark FROM pg_publication p WHERE p.pubname = $1`,
    [publication],
  );
  const [found] = await session.query(
    `SELECT s.plugin, s.database, s.active_pid, s.confirmed_flush_lsn::text AS acknowledged,
      CASE WHEN s.wal_status = 'lost' THEN coalesce(to_jsonb(s)->>'invalidation_reason', 'its part of the log was removed')
        ELSE to_jsonb(s)->>'invalidation_reason' END AS lost,
      pg_wal_lsn_diff(pg_current_wal_lsn(), s.confirmed_flush_lsn)::text AS lag,
      pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::text AS retained,
      EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = s.active_pid AND a.usename = current_user AND a.application_name = $2) AS own
    FROM pg_replication_slots s WHERE s.slot_name = $1`,
    [slot, application],
  );
  const [kept] = await session.query(
    `SELECT acknowledged::text, gap, publication, timeline FROM ${captureTable(schema)} WHERE slot = $1`,
    [slot],
  );
  return {
    database: String(server?.['database']),
    timeline: String(server?.['timeline']),
    publication: String(published?.['mark']),
    slot: found && {
      plugin: found['plugin'] as string | null,
      database: found['database'] as string | null,
      activePid: found['active_pid'] === null ? null : numeric(found['active_pid']),
      own: found['own'] === true,
      acknowledged: found['acknowledged'] === null ? undefined : parseLsn(found['acknowledged']),
      lost: (found['lost'] as string | null) ?? undefined,
      lag: numeric(found['lag']),
      retained: numeric(found['retained']),
    },
    state: kept && {
      acknowledged: parseLsn(kept['acknowledged']),
      gap: kept['gap'] as string | null,
      publication: kept['publication'] as string | null,
      timeline: kept['timeline'] as string | null,
    },
  };
}

function captureTable(schema: string): string {
  return `${identifier(schema)}.capture`;
}

/**
 * Writes down that everything has to be invalidated, before anything is done about it.
 *
 * @returns the gap as it is written: each has a text of its own, so that who closes one does not close another
 */
export async function openGap(session: Session, schema: string, slot: string, reason: string): Promise<string> {
  const [row] = await session.query(
    `INSERT INTO ${captureTable(schema)} AS c (slot, acknowledged, gap)
    VALUES ($1, '0/0', $2::text || ', ' || to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    ON CONFLICT (slot) DO UPDATE SET gap = excluded.gap, updated_at = clock_timestamp() RETURNING gap`,
    [slot, reason],
  );
  return String(row?.['gap']);
}

/** Writes down that everything was invalidated after `gap`; one that was opened meanwhile stays. */
export async function closeGap(
  session: Session,
  schema: string,
  { slot, gap: closed, facts, reached }: { slot: string; gap: string; facts: SlotFacts; reached: bigint },
): Promise<void> {
  await session.query(
    `UPDATE ${captureTable(schema)} SET gap = NULL, publication = $3, timeline = $4,
      acknowledged = greatest(acknowledged, $5::text::pg_lsn), updated_at = clock_timestamp()
    WHERE slot = $1 AND gap = $2`,
    [slot, closed, facts.publication, facts.timeline, formatLsn(reached)],
  );
}

/** Writes down how far a slot will be told to go. */
export async function keepAcknowledged(session: Session, schema: string, slot: string, lsn: bigint): Promise<void> {
  await session.query(
    `UPDATE ${captureTable(schema)} SET acknowledged = greatest(acknowledged, $2::text::pg_lsn), updated_at = clock_timestamp()
    WHERE slot = $1`,
    [slot, formatLsn(lsn)],
  );
}
