import { type GuardProfile, on, QUICK } from './guard-profile.ts';
import type { Profile } from './profile.ts';

/** Rows that somebody changes who tells nobody, and relays that capture it; everybody else reads. */
const CAPTURED: Partial<Profile> = {
  capture: 1,
  mapped: 1,
  mappings: ['key'],
  foreigners: [2, 3],
  writers: [0, 0],
  rows: [4, 6],
  writeThink: { usual: [100, 500], slow: [500, 900], chance: 0.2 },
  commitShows: QUICK,
  walWrites: 0,
};

/** Commits that are in the log long before anybody sees them. */
const LATE: Partial<Profile> = { ...CAPTURED, commitShows: { usual: [100, 600], slow: [100, 600], chance: 0 } };

/** Slots that come to harm while commits wait for a standby. */
const GAPS: Partial<Profile> = { ...LATE, recreate: 1, faults: { 'move-slot': 1 }, faultCount: [3, 6] };

/** Relays that are left behind with an old primary of the log. */
const ISOLATED: Partial<Profile> = {
  ...CAPTURED,
  nodes: [4, 4],
  rows: [12, 12],
  servers: [3],
  replicas: 1,
  faults: { isolate: 2, 'kill-relay': 2 },
  faultCount: [5, 7],
  length: 10,
  writeThink: { usual: [300, 900], slow: [300, 900], chance: 0 },
};

/** Writers that die between their commit and its invalidation, with a message in the log. */
const MESSAGES: Partial<Profile> = {
  ...CAPTURED,
  mapped: 0,
  walWrites: 1,
  writers: [3, 4],
  faults: { kill: 1 },
  faultCount: [3, 6],
  commitReturns: { usual: [0, 100], slow: [100, 400], chance: 0.3 },
};

/** The guards of what is captured, each in a setting that provokes it. */
export const CAPTURE_GUARDS: readonly GuardProfile[] = [
  on('captureVisible', LATE),
  on('captureOutstanding', { ...LATE, length: 20, faults: { 'kill-relay': 1 }, faultCount: [10, 14] }),
  // Others name the bounds of their own changes.
  on('captureProven', ISOLATED),
  // Where the log's client waits for the replicas, what has answered an append is the log.
  on('captureConfirmed', ISOLATED, { together: ['appendWaits'], promises: ['capture'] }),
  // Others name the bounds of their own changes.
  on('captureBound', { ...CAPTURED, writers: [1, 2], replicaReads: 1, replicaLag: [300, 600] }),
  on('captureSeen', MESSAGES),
  on('captureGap', GAPS),
  on('captureGapTwice', GAPS),
  on('captureGapKept', {
    ...GAPS,
    rows: [6, 6],
    commitShows: { usual: [0, 50], slow: [2_000, 4_000], chance: 0.3 },
    faults: { 'move-slot': 1, 'kill-relay': 2 },
    faultCount: [8, 12],
    length: 24,
  }),
  on('captureMoved', GAPS),
  on(
    'capturePublication',
    { ...CAPTURED, faults: { unpublish: 1 }, faultCount: [1, 2], length: 20 },
    { promises: ['capture'] },
  ),
];
