import type { Guard } from '../../src/coherence/guards.ts';
import type { PromiseName } from './checker.ts';
import { type Profile, USUAL } from './profile.ts';
import type { OuterGuard } from './server-guards.ts';

/** A setting that brings about what one guard defends against, and little else. */
export interface GuardProfile {
  readonly guard: Guard | OuterGuard;
  readonly profile: Profile;
  /** Other guards that are taken out too: with them alone nothing is found. */
  readonly together?: readonly (Guard | OuterGuard)[];
  /** Only these promises count; what else is broken follows from `together`. */
  readonly promises?: readonly PromiseName[];
  /** So many seeds, from 1 on, are certain to find it. */
  readonly seeds: number;
}

const QUICK = { usual: [0.2, 3], slow: [0.2, 3], chance: 0 } as const;

/** Two nodes, a quiet network, one or two rows that everybody reads, one writer: nothing goes wrong by itself. */
const PLAIN: Profile = {
  ...USUAL,
  nodes: [2, 2],
  rows: [1, 2],
  readers: [2, 3],
  writers: [1, 2],
  length: 10,
  readThink: { usual: [0, 40], slow: [40, 100], chance: 0.1 },
  writeThink: { usual: [20, 200], slow: [200, 600], chance: 0.2 },
  calls: { read: 3, query: 1, getOrSet: 1, peek: 1 },
  targets: { key: 1 },
  bursts: 0,
  sets: 0,
  rereads: 0.5,
  log: QUICK,
  follower: QUICK,
  values: QUICK,
  replication: QUICK,
  loaderBefore: { usual: [0, 5], slow: [5, 20], chance: 0.1 },
  loaderAfter: { usual: [0, 5], slow: [5, 20], chance: 0.1 },
  loaderFails: 0,
  loaderHangs: 0,
  commitReturns: QUICK,
  faults: {},
  faultCount: [0, 0],
  servers: [1],
  replicas: 0,
  serverClock: ['right'],
  store: 0,
  check: 0,
  lease: 0,
  memory: [1_000],
  ttl: [60_000],
  maxLife: [60_000],
  slots: [256],
  kept: [50],
  limit: [1_000],
  maxQueue: [1_000],
  patience: [100],
  serveDetached: [0],
  replicaReads: 0,
  newer: 0,
  eager: 0,
  jitter: 0,
};

const on = (
  guard: Guard | OuterGuard,
  seeds: number,
  overrides: Partial<Profile>,
  more: Partial<GuardProfile> = {},
): GuardProfile => ({
  guard,
  seeds,
  profile: { ...PLAIN, ...overrides, name: guard },
  ...more,
});

const SLOW_FOLLOWER = { usual: [40, 200], slow: [200, 400], chance: 0.2 } as const;
const SLOW_LOADER = { usual: [20, 150], slow: [150, 400], chance: 0.2 } as const;

/** Sleepy nodes that leave old entries where they are. */
const SPARSE: Partial<Profile> = {
  rows: [4, 6],
  readThink: { usual: [50, 300], slow: [300, 600], chance: 0.2 },
  rereads: 0,
};

export const GUARD_PROFILES: readonly GuardProfile[] = [
  on('covered', 20, {}),
  on('epoch', 100, { faults: { empty: 1 }, faultCount: [2, 4], follower: SLOW_FOLLOWER }),
  on('floor', 20, { targets: { everything: 1 } }),
  on('bans', 20, { targets: { pattern: 1 } }),
  on('bansRetireToFloor', 300, {
    ...SPARSE,
    targets: { pattern: 1 },
    maxLife: [20_000],
    faults: { 'server-clock': 1 },
    faultCount: [4, 8],
  }),
  on('memoApplied', 20, {}),
  on('age', 100, { faults: { pause: 1, 'stall-follower': 1 }, faultCount: [2, 5] }),
  on('bothClocks', 100, { faults: { suspend: 1 }, faultCount: [2, 5] }),
  on('provenAt', 100, { follower: { usual: [1, 20], slow: [300, 450], chance: 0.3 } }),
  on('replicas', 100, { servers: [3], replicas: 1, faults: { isolate: 1 }, faultCount: [1, 2] }),
  on('fullBatch', 100, {
    rows: [4, 6],
    limit: [1],
    writers: [1, 1],
    bursts: 1,
    burst: [6, 10],
    follower: { usual: [60, 100], slow: [60, 100], chance: 0 },
  }),
  on('emptyBelowHead', 100, { kept: [0], writeThink: { usual: [200, 800], slow: [800, 1_500], chance: 0.3 } }),
  on('chain', 100, { rows: [4, 6], kept: [1], bursts: 0.5, follower: SLOW_FOLLOWER }),
  on('epochCheck', 100, { faults: { empty: 1 }, faultCount: [2, 4], serverClock: ['behind'] }),
  on('markBefore', 50, { loaderAfter: SLOW_LOADER }),
  on('promotionMark', 200, { calls: { getOrSet: 1 }, targets: { extra: 1 }, rows: [2, 4], store: 1, memory: [1] }),
  on('ownTable', 200, {
    loaderAfter: SLOW_LOADER,
    faults: { 'cut-follower': 1, 'stall-follower': 1 },
    faultCount: [4, 8],
  }),
  on('ownWait', 100, { replicaReads: 1, replicaLag: [300, 600], follower: SLOW_FOLLOWER, memory: [0] }),
  on('queueCovers', 100, { faults: { 'stall-data': 1 }, faultCount: [2, 5] }),
  on(
    'appendAgain',
    300,
    { ...SPARSE, memory: [0], servers: [3], replicas: 1, faults: { isolate: 1 }, faultCount: [1, 2], store: 1 },
    { together: ['appendWaits'], promises: ['own write'] },
  ),
  on(
    'requeueFirst',
    300,
    { ...SPARSE, memory: [0], servers: [3], replicas: 1, faults: { isolate: 1 }, faultCount: [1, 2], store: 1 },
    { together: ['appendWaits'], promises: ['own write'] },
  ),
  on('crossedEpoch', 200, { faults: { empty: 1, restart: 1 }, faultCount: [3, 5], follower: SLOW_FOLLOWER, store: 1 }),
  on('completion', 100, { loaderAfter: SLOW_LOADER }),
  on('detachedJoin', 300, {
    loaderAfter: { usual: [300, 900], slow: [900, 1_500], chance: 0.3 },
    loadTimeout: 4_000,
    faults: { 'stall-follower': 1 },
    faultCount: [3, 6],
  }),
  on('tokenEpoch', 300, {
    faults: { empty: 1 },
    faultCount: [2, 4],
    serverClock: ['behind'],
    rereads: 1,
    follower: SLOW_FOLLOWER,
  }),
  on('tokenJoin', 100, { loaderAfter: SLOW_LOADER, rereads: 1, follower: SLOW_FOLLOWER }),
  on('readerLabels', 100, { targets: { extra: 1, tag: 1 }, newer: 0.5, store: 1 }),
  on('serverLabels', 300, {
    ...SPARSE,
    targets: { tag: 1, prefix: 1, dynamic: 1 },
    store: 1,
    check: 1,
    memory: [0],
    faults: { 'stall-follower': 1 },
    faultCount: [2, 4],
  }),
  on('serverBoth', 300, {
    ...SPARSE,
    store: 1,
    check: 1,
    memory: [0],
    faults: { 'stall-follower': 1, empty: 1, restart: 1 },
    faultCount: [3, 6],
  }),
  on('serverProven', 300, {
    ...SPARSE,
    servers: [3],
    replicas: 1,
    store: 1,
    check: 1,
    memory: [0],
    faults: { isolate: 1 },
    faultCount: [1, 2],
  }),
  on('staleSince', 300, {
    ...SPARSE,
    calls: { maxStaleness: 3, read: 1 },
    follower: { usual: [80, 180], slow: [180, 220], chance: 0.3 },
  }),
  on('consistentHead', 50, { calls: { consistent: 1 }, rows: [2, 3] }),
  on('consistentHeadAfter', 100, { calls: { consistent: 3, read: 1 }, rows: [2, 3], loaderAfter: SLOW_LOADER }),
  on('consistentWait', 50, { calls: { consistent: 3, read: 1 }, rows: [2, 3], follower: SLOW_FOLLOWER }),
  on('consistentRecheck', 50, { calls: { consistent: 3, read: 1 }, rows: [2, 3] }),
  on('consistentEpoch', 300, {
    calls: { consistent: 3, read: 1 },
    rows: [2, 3],
    serverClock: ['behind'],
    faults: { empty: 1 },
    faultCount: [3, 6],
    follower: SLOW_FOLLOWER,
  }),
  on('lsnUnknown', 100, {
    replicaReads: 1,
    replicaLag: [300, 600],
    faults: { 'stall-follower': 1, 'cut-follower': 1 },
    faultCount: [2, 5],
  }),
  on('writeOrder', 20, {}),
  on('tableHeader', 300, {
    rows: [4, 6],
    readers: [3, 4],
    writers: [1, 1],
    kept: [1],
    follower: SLOW_FOLLOWER,
    faults: { 'lose-table': 1 },
    faultCount: [4, 8],
  }),
  on('bothIds', 300, {
    servers: [2],
    rows: [2, 4],
    writers: [1, 1],
    faults: { failback: 1 },
    faultCount: [2, 4],
    follower: SLOW_FOLLOWER,
  }),
  on('proofVerifies', 300, {
    servers: [2],
    rows: [2, 4],
    writers: [1, 1],
    faults: { failback: 1 },
    faultCount: [2, 4],
    follower: SLOW_FOLLOWER,
  }),
  on('appendWaits', 300, { servers: [3], replicas: 1, faults: { isolate: 1 }, faultCount: [1, 2] }),
  on('waitOwnConnection', 300, {
    servers: [3],
    replicas: 1,
    faults: { isolate: 4, kill: 1, 'stall-follower': 2 },
    faultCount: [3, 6],
    writers: [3, 4],
  }),
];
