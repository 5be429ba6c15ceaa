import { formatLsn, parseLsn } from '../../src/postgres/lsn.ts';
import { Refusal } from './database-refusal.ts';
import type { Backend, DatabaseServer } from './database-server.ts';
import { ReplicationSlot } from './replication-slot.ts';

export type Rows = readonly Readonly<Record<string, unknown>>[];

/** What a statement comes to. */
export interface Outcome {
  readonly rows: Rows;
  /** How long it takes. */
  readonly ms?: number;
  /** Whether it commits something, for which a standby may have to be waited for. */
  readonly writes?: boolean;
}

interface Asked {
  readonly server: DatabaseServer;
  readonly backend: Backend;
  readonly text: string;
  readonly values: readonly unknown[];
}

const NOTHING: Outcome = { rows: [] };
const TIMELINE = '00000001';
const row = (values: Readonly<Record<string, unknown>>): Outcome => ({ rows: [values] });
const lsnText = (lsn: number): string => formatLsn(BigInt(lsn));
const slotOf = ({ server, values }: Asked): ReplicationSlot | undefined => server.slots.get(String(values[0]));

/** The statements of the relay's leader, of its capture, and of whoever sets it up, by how they begin. */
const STATEMENTS: readonly (readonly [string, (asked: Asked) => Outcome])[] = [
  // --- the leader's
  ['SELECT pg_is_in_recovery() AS replica', () => row({ replica: false })],
  ['SELECT set_config', () => NOTHING],
  ['SELECT pg_try_advisory_lock', lock],
  ['SELECT pg_backend_pid()', ({ backend }) => row({ pid: backend.pid })],

  // --- before a slot is read
  [
    'SELECT pg_is_in_recovery() AS standby',
    () => row({ standby: false, level: 'logical', version: 180_000, migrated: true }),
  ],
  ['SET ', () => NOTHING],
  ['RESET ', () => NOTHING],
  ['SELECT pg_terminate_backend', endReader],
  ['SELECT pg_sleep', awaitReader],
  ['SELECT current_database()', () => row({ database: 'shop', version: 180_000, timeline: TIMELINE })],
  ['SELECT md5(p::text', ({ server }) => row({ mark: mark(server) })],
  ['SELECT s.plugin', slotFacts],
  ['SELECT acknowledged::text', keptFacts],
  [
    'SELECT pubinsert',
    () => row({ pubinsert: true, pubupdate: true, pubdelete: true, pubtruncate: true, pubviaroot: true }),
  ],
  ['SELECT jsonb_build_object', tables],
  ['SELECT pg_drop_replication_slot', dropSlot],
  ['SELECT FROM pg_create_logical_replication_slot', makeSlot],

  // --- what is written down
  ['INSERT INTO "tidemark".capture', openGap],
  ['UPDATE "tidemark".capture SET gap = NULL', closeGap],
  ['UPDATE "tidemark".capture SET acknowledged', keepAcknowledged],

  // --- while it is read
  ['SELECT pg_current_xact_id()', ({ server }) => row({ xid: transactionId(server) })],
  ['SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_flush_lsn()', look],
  ['SELECT pg_current_snapshot()::text AS snapshot', ({ server }) => row({ snapshot: server.database.ids.snapshot() })],
  ['SELECT pg_current_wal_insert_lsn()', ({ server }) => row({ lsn: lsnText(server.database.lsn) })],
];

/**
 * Executes a statement.
 *
 * @throws Refusal where a server would; Error for a statement that this one does not know
 */
export function execute(server: DatabaseServer, backend: Backend, text: string, values: readonly unknown[]): Outcome {
  const found = STATEMENTS.find(([beginning]) => text.startsWith(beginning));
  if (found === undefined) throw new Error(`the simulated database does not know the statement: ${text}`);
  return found[1]({ server, backend, text, values });
}

function lock({ server, backend, values }: Asked): Outcome {
  const key = String(values[0]);
  if (!server.locks.has(key)) server.locks.set(key, backend);
  return row({ had: server.locks.get(key) === backend });
}

function endReader(asked: Asked): Outcome {
  const reader = slotOf(asked)?.reader;
  if (reader?.application === asked.values[1]) reader?.terminate();
  return NOTHING;
}

function awaitReader(asked: Asked): Outcome {
  const reading = slotOf(asked)?.reader?.application === asked.values[1];
  return reading ? { rows: [{}], ms: 50 } : NOTHING;
}

/** Another one after each change of what is published. */
function mark({ publication, removed }: DatabaseServer): string {
  return removed.has('capturePublication') ? 'same' : String(publication);
}

function slotFacts(asked: Asked): Outcome {
  const slot = slotOf(asked);
  if (slot === undefined) return NOTHING;
  const lag = asked.server.database.lsn - slot.confirmed;
  return row({
    ...{ plugin: 'pgoutput', database: 'shop', lag, retained: lag },
    active_pid: slot.reader?.pid ?? null,
    own: slot.reader?.application === asked.values[1],
    acknowledged: lsnText(slot.confirmed),
    lost: slot.lost ?? null,
  });
}

function keptFacts({ server, values }: Asked): Outcome {
  const kept = server.kept.get(String(values[0]));
  if (kept === undefined) return NOTHING;
  const acknowledged = server.removed.has('captureMoved') ? Number.MAX_SAFE_INTEGER : kept.acknowledged;
  return row({ ...kept, acknowledged: lsnText(acknowledged) });
}

function tables({ server }: Asked): Outcome {
  const facts = {
    ...{ schema: 'public', table: 'rows', exists: true, partitioned: false, filtered: false },
    published: server.database.wal.published ? ['id'] : null,
    columns: ['id'],
    identities: [{ schema: 'public', table: 'rows', full: false, columns: ['id'] }],
  };
  return row({ facts });
}

function dropSlot(asked: Asked): Outcome {
  if (slotOf(asked)?.reader !== undefined) throw new Refusal('55006', 'the replication slot is active');
  asked.server.slots.delete(String(asked.values[0]));
  return NOTHING;
}

/** It does not wait for commits that wait for a standby: a slot that was moved or copied would not have either. */
function makeSlot({ server, values }: Asked): Outcome {
  const name = String(values[0]);
  if (server.slots.has(name)) throw new Refusal('42710', 'the replication slot exists');
  server.slots.set(name, new ReplicationSlot(server.database.lsn));
  return NOTHING;
}

function openGap({ server, values }: Asked): Outcome {
  const [slot, reason] = [String(values[0]), String(values[1])];
  if (server.removed.has('captureGapKept')) return row({ gap: reason });
  server.database.note();
  return { rows: [{ gap: server.openGap(slot, reason) }], writes: true };
}

function closeGap({ server, values: [slot, gap, publication, timeline, reached] }: Asked): Outcome {
  server.database.note();
  const kept = server.kept.get(String(slot));
  if (kept === undefined || (kept.gap !== gap && !server.removed.has('captureGapOwn')))
    return { rows: [], writes: true };
  kept.gap = null;
  kept.publication = String(publication);
  kept.timeline = String(timeline);
  kept.acknowledged = Math.max(kept.acknowledged, Number(parseLsn(reached)));
  return { rows: [], writes: true };
}

function keepAcknowledged({ server, values: [slot, lsn] }: Asked): Outcome {
  const to = server.removed.has('captureOutstanding') ? server.database.lsn : Number(parseLsn(lsn));
  server.database.note();
  const kept = server.kept.get(String(slot));
  if (kept !== undefined) kept.acknowledged = Math.max(kept.acknowledged, to);
  return { rows: [], writes: true };
}

/** Of a transaction that is nothing but this statement. */
function transactionId({ database, removed }: DatabaseServer): string {
  const xid = database.ids.begin();
  database.ids.end(xid);
  return removed.has('captureGapTwice') ? '0' : String(xid);
}

function look({ server: { database, removed } }: Asked): Outcome {
  const snapshot = removed.has('captureVisible') ? database.ids.idleSnapshot() : database.ids.snapshot();
  return row({ snapshot, lsn: lsnText(database.lsn) });
}
