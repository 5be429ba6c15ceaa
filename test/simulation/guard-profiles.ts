import type { Guard } from '../../src/coherence/guards.ts';
import { CAPTURE_GUARDS } from './capture-guards.ts';
import { type GuardProfile, on, QUICK } from './guard-profile.ts';
import type { Profile } from './profile.ts';
import type { OuterGuard } from './server-guards.ts';

/** Clients that write on one node and read on another, and little else; every node serves what it has for long. */
const CLIENTS: Partial<Profile> = {
  sessions: 1,
  clients: [3, 4],
  nodes: [3, 3],
  writers: [0, 0],
  readers: [1, 1],
  follower: { usual: [40, 200], slow: [200, 400], chance: 0.2 },
  writeThink: { usual: [10, 60], slow: [60, 200], chance: 0.2 },
};

/** Writers that die between their commit and its invalidation, and relays that finish it. */
const OUTBOX: Partial<Profile> = {
  outbox: 1,
  writers: [3, 4],
  faults: { kill: 1 },
  faultCount: [3, 6],
  commitReturns: { usual: [0, 100], slow: [100, 400], chance: 0.3 },
};

const SLOW_FOLLOWER = { usual: [40, 200], slow: [200, 400], chance: 0.2 } as const;
const LATE_FOLLOWER = { usual: [20, 70], slow: [20, 70], chance: 0 } as const;
const SLOW_LOADER = { usual: [20, 150], slow: [150, 400], chance: 0.2 } as const;

/** The first node writes much, the others only read: their own tables tell them nothing. */
const BUSY_FIRST: Partial<Profile> = {
  writers: [5, 8],
  writing: [1],
  writeThink: { usual: [10, 60], slow: [60, 200], chance: 0.2 },
};

/** Sleepy nodes that leave old entries where they are. */
const SPARSE: Partial<Profile> = {
  rows: [4, 6],
  readThink: { usual: [50, 300], slow: [300, 600], chance: 0.2 },
  rereads: 0,
};

/** An old primary is left behind with some of the nodes; the others go on with two servers of three. */
const ISOLATION: Partial<Profile> = { servers: [3], replicas: 1, faults: { isolate: 1 }, faultCount: [1, 2] };

const UNCONFIRMED: Partial<Profile> = {
  ...SPARSE,
  ...ISOLATION,
  rows: [6, 6],
  readers: [4, 5],
  memory: [0],
  store: 1,
  faultCount: [3, 4],
  length: 16,
};

/** Nodes know of one another, and each write waits for all of them. */
const TOGETHER: Partial<Profile> = { presence: 1, everywhere: 1 };

const SHORT = { usual: [0, 10], slow: [0, 10], chance: 0 } as const;

/** Every write is announced, and everybody reads the same one or two rows. */
const STRICT: Partial<Profile> = {
  strict: 1,
  strictWrites: 1,
  writers: [1, 2],
  rereads: 0,
  readThink: { usual: [0, 20], slow: [20, 60], chance: 0.1 },
  commitTakes: { usual: [0, 20], slow: [20, 300], chance: 0.3 },
  commitReturns: { usual: [0, 20], slow: [20, 200], chance: 0.3 },
  length: 12,
};

/** Strict writes that take long to commit, in epochs that do not last; their writers notice each new one in time. */
const EPOCHS: Partial<Profile> = {
  ...STRICT,
  connected: true,
  commitTakes: { usual: [100, 1_500], slow: [100, 1_500], chance: 0 },
  commitReturns: { usual: [100, 900], slow: [100, 900], chance: 0 },
  follower: { usual: [1, 45], slow: [1, 45], chance: 0 },
  loaderBefore: SHORT,
  writing: [1],
  length: 30,
  faults: { empty: 1 },
  faultCount: [5, 8],
};

/** Writers that are left behind with an old primary while the others go on in another epoch, until that is not young any more. */
const CUT_OFF: Partial<Profile> = {
  ...STRICT,
  ...ISOLATION,
  nodes: [3, 3],
  writers: [3, 5],
  commitTakes: { usual: [500, 2_500], slow: [500, 2_500], chance: 0 },
  commitReturns: QUICK,
  length: 30,
  faultCount: [5, 8],
};

export const GUARD_PROFILES: readonly GuardProfile[] = [
  // --- the rule
  on('covered', {}),
  on('epoch', { faults: { empty: 1 }, faultCount: [4, 6], follower: SLOW_FOLLOWER }),
  on('floor', { targets: { everything: 1 } }),
  on('bans', { targets: { pattern: 1 } }),
  on('bansRetireToFloor', {
    ...SPARSE,
    targets: { pattern: 1 },
    maxLife: [20_000],
    faults: { 'server-clock': 1 },
    faultCount: [4, 8],
  }),
  on('memoApplied', {}),
  on('queueCovers', { faults: { 'stall-data': 1 }, faultCount: [2, 5] }),

  // --- attached
  on('age', { faults: { pause: 1, 'stall-follower': 1 }, faultCount: [2, 5] }),
  on('bothClocks', { faults: { suspend: 1 }, faultCount: [2, 5] }),
  on('provenAt', { follower: { usual: [1, 20], slow: [300, 450], chance: 0.3 } }),
  on('replicas', { ...ISOLATION }),
  on('fullBatch', {
    rows: [4, 6],
    limit: [1],
    writers: [1, 1],
    bursts: 1,
    burst: [6, 10],
    follower: { usual: [60, 100], slow: [60, 100], chance: 0 },
  }),
  on('emptyBelowHead', { kept: [0], writeThink: { usual: [200, 800], slow: [800, 1_500], chance: 0.3 } }),
  on('chain', { rows: [4, 6], kept: [1], bursts: 0.5, follower: SLOW_FOLLOWER }),
  on('epochCheck', { faults: { empty: 1 }, faultCount: [2, 4], serverClock: ['behind'] }),

  // --- marks, and who shares a load
  on('markBefore', { loaderAfter: SLOW_LOADER }),
  on('promotionMark', { calls: { getOrSet: 1 }, targets: { extra: 1 }, rows: [2, 4], store: 1, memory: [1] }),
  on('completion', { loaderAfter: SLOW_LOADER }),
  on('detachedJoin', {
    readers: [4, 5],
    readThink: { usual: [0, 1_500], slow: [0, 1_500], chance: 0 },
    writing: [1],
    loaderAfter: { usual: [900, 1_500], slow: [900, 1_500], chance: 0 },
    loadTimeout: 4_000,
    length: 20,
    faults: { 'stall-follower': 1 },
    faultCount: [6, 9],
  }),
  on('tokenEpoch', {
    nodes: [3, 3],
    faults: { empty: 1, 'stall-follower': 1 },
    faultCount: [6, 9],
    serverClock: ['behind'],
    rereads: 1,
  }),
  on('tokenJoin', { loaderAfter: SLOW_LOADER, rereads: 1, follower: SLOW_FOLLOWER }),
  on('tokenSince', { ...CLIENTS, faults: { 'stall-data': 1, 'cut-data': 1 }, faultCount: [4, 8], patience: [30] }),
  on('sessionWrites', CLIENTS),
  on('sessionPending', CLIENTS),
  on('sessionQueued', { ...CLIENTS, faults: { 'stall-data': 1, 'cut-data': 1 }, faultCount: [4, 8], patience: [30] }),
  on('sessionEpochs', { ...CLIENTS, faults: { empty: 1 }, faultCount: [4, 6], serverClock: ['behind'] }),
  on('readerLabels', { targets: { extra: 1, tag: 1 }, newer: 0.5, store: 1 }),
  on('versionPlace', { versions: 1, store: 1 }),
  on('versionLabels', { versions: 1 }),
  on('liftedMark', {
    ...{ versions: 1, newer: 0.5, store: 1, nodes: [5, 5], rows: [2, 4], memory: [1] },
    ...{ calls: { read: 1 }, targets: { extra: 1 }, faults: { evict: 1 }, faultCount: [6, 10] },
  }),
  on('liftedLabels', { versions: 1, calls: { read: 1 }, targets: { dynamic: 1 }, rows: [2, 4], store: 1, memory: [1] }),
  on('missMark', { keyv: 1, loaderAfter: SLOW_LOADER }),
  on('missOldest', { keyv: 1, loaderAfter: SLOW_LOADER, readers: [4, 5] }),
  on('staleSince', {
    ...SPARSE,
    calls: { maxStaleness: 3, read: 1 },
    loaderAfter: { usual: [200, 500], slow: [200, 500], chance: 0 },
    length: 16,
    faults: { 'stall-follower': 1 },
    faultCount: [8, 12],
  }),
  on('lsnUnknown', {
    replicaReads: 1,
    replicaLag: [300, 600],
    faults: { 'stall-follower': 1, 'cut-follower': 1 },
    faultCount: [2, 5],
  }),

  // --- measuring
  on('shadowLoads', { calls: { shadow: 3, read: 1 } }),

  // --- own writes
  on('ownTable', { loaderAfter: SLOW_LOADER, faults: { 'cut-follower': 1, 'stall-follower': 1 }, faultCount: [4, 8] }),
  on('crossedEpoch', { faults: { empty: 1, restart: 1 }, faultCount: [3, 5], follower: SLOW_FOLLOWER, store: 1 }),
  on('appendAgain', UNCONFIRMED, { together: ['appendWaits'], promises: ['own write'] }),
  on('requeueFirst', UNCONFIRMED, { together: ['appendWaits'], promises: ['own write'] }),

  // --- server-checked reads
  on('serverLabels', {
    ...SPARSE,
    targets: { tag: 1, prefix: 1, dynamic: 1 },
    store: 1,
    check: 1,
    memory: [0],
    faults: { 'stall-follower': 1 },
    faultCount: [2, 4],
  }),
  on('serverProven', {
    ...SPARSE,
    ...ISOLATION,
    rows: [6, 6],
    readers: [2, 3],
    writers: [3, 4],
    writing: [1],
    store: 1,
    check: 1,
    memory: [0],
    faultCount: [3, 4],
    length: 16,
  }),

  // --- acknowledged everywhere
  on('everywhereWait', { ...TOGETHER, follower: SLOW_FOLLOWER }),
  on('everywhereKnown', { ...TOGETHER, faults: { 'lose-nodes': 1, 'stall-follower': 1 }, faultCount: [8, 12] }),
  on('presenceFirst', { ...TOGETHER, follower: LATE_FOLLOWER }),

  // --- strict writes
  on('announcements', { ...STRICT, follower: LATE_FOLLOWER }),
  on('strictConfirm', { ...STRICT, follower: LATE_FOLLOWER }),
  on('strictTolerance', { ...STRICT, calls: { maxStaleness: 3, grace: 1, read: 1 } }),
  on('strictDetached', {
    ...STRICT,
    calls: { maxStaleness: 1 },
    nodes: [3, 3],
    writing: [1],
    faults: { 'stall-follower': 1 },
    faultCount: [6, 10],
    length: 16,
  }),
  on('strictJoin', {
    ...STRICT,
    nodes: [3, 3],
    writing: [1],
    readers: [4, 5],
    loaderAfter: { usual: [300, 900], slow: [300, 900], chance: 0 },
    announceTimeout: 3_000,
    faults: { 'stall-follower': 1 },
    faultCount: [6, 10],
    length: 16,
  }),
  on('strictLsn', { ...STRICT, replicaReads: 1, replicaLag: [300, 600], follower: LATE_FOLLOWER }),
  on('young', EPOCHS),
  on('youngTwice', {
    ...EPOCHS,
    rows: [1, 1],
    writers: [8, 8],
    readThink: { usual: [0, 25], slow: [0, 25], chance: 0 },
    commitTakes: { usual: [400, 1_000], slow: [400, 1_000], chance: 0 },
    commitReturns: QUICK,
    follower: QUICK,
    firstFollower: { usual: [40, 45], slow: [40, 45], chance: 0 },
    faults: { 'empty-unheard': 1 },
    faultCount: [6, 9],
  }),
  on('youngJoin', { ...EPOCHS, readers: [4, 5], loaderAfter: SLOW_LOADER }),
  on('reannounce', EPOCHS),
  on('returnAppended', CUT_OFF),
  // Without `young` alone the promise of a return holds (model: "without young, youngJoin: holds"); with it, cut off for longer.
  on('returnConfirmed', { ...CUT_OFF, follower: SLOW_FOLLOWER }, { together: ['young'], promises: ['strict'] }),
  on('snapshotOpen', {
    ...EPOCHS,
    kept: [1],
    faults: { kill: 1, 'cut-follower': 1 },
  }),
  on('closeByRecord', { ...EPOCHS, commitsLost: 0.5, faults: { kill: 1 } }),
  on('relayAsks', { ...EPOCHS, faults: {} }),

  // --- the outbox
  on('outboxProven', {
    ...OUTBOX,
    nodes: [4, 4],
    rows: [16, 16],
    writers: [4, 4],
    writing: [4],
    servers: [3],
    replicas: 1,
    faults: { isolate: 2, kill: 3 },
    faultCount: [5, 7],
    length: 6,
    writeThink: { usual: [300, 1_500], slow: [300, 1_500], chance: 0 },
    commitReturns: { usual: [200, 600], slow: [200, 600], chance: 0 },
  }),
  on('outboxWhole', OUTBOX),
  on('outboxOtherId', { ...OUTBOX, outboxLost: 0.5 }),

  // --- what is captured
  ...CAPTURE_GUARDS,

  // --- consistent
  on('consistentHead', { calls: { consistent: 1 }, rows: [2, 3] }),
  on('consistentHeadAfter', { calls: { consistent: 3, read: 1 }, rows: [2, 3], loaderAfter: SLOW_LOADER }),
  on('consistentWait', { calls: { consistent: 3, read: 1 }, rows: [2, 3], follower: SLOW_FOLLOWER }),
  on('consistentRecheck', { calls: { consistent: 3, read: 1 }, rows: [2, 3] }),
  on('consistentEpoch', {
    calls: { consistent: 3, read: 1 },
    rows: [2, 3],
    serverClock: ['behind'],
    faults: { empty: 1 },
    faultCount: [3, 6],
    follower: SLOW_FOLLOWER,
  }),

  // --- whoever writes, and the log's server and client
  on('writeOrder', {}),
  on(
    'fallbackOutside',
    { breakers: 1, loaderFails: 0.1, calls: { query: 3, read: 2, getOrSet: 1, many: 1 } },
    { promises: ['fallback'] },
  ),
  on('tableHeader', {
    ...BUSY_FIRST,
    rows: [4, 6],
    readers: [3, 4],
    kept: [1],
    follower: LATE_FOLLOWER,
    faults: { 'lose-table': 1 },
    faultCount: [4, 8],
  }),
  on('bothIds', {
    ...BUSY_FIRST,
    servers: [2],
    rows: [4, 6],
    faults: { failback: 1 },
    faultCount: [3, 5],
    follower: LATE_FOLLOWER,
  }),
  on('proofVerifies', {
    servers: [2],
    rows: [1, 2],
    nodes: [3, 3],
    readers: [1, 2],
    writers: [1, 1],
    writeThink: { usual: [20, 60], slow: [700, 1_000], chance: 0.3 },
    length: 24,
    faults: { failback: 1 },
    faultCount: [12, 16],
    follower: LATE_FOLLOWER,
  }),
  on('onlyProofsProve', {
    rows: [4, 6],
    limit: [1],
    writers: [1, 1],
    bursts: 1,
    burst: [6, 10],
    follower: { usual: [60, 100], slow: [60, 100], chance: 0 },
  }),
  on('appendWaits', { ...ISOLATION }),
  // Alone it takes a writer that dies before it has appended again: found too, but within hundreds of seeds only.
  on(
    'waitOwnConnection',
    {
      ...ISOLATION,
      rows: [6, 6],
      readers: [3, 4],
      patience: [3_000],
      faultCount: [3, 4],
      writers: [4, 4],
      writeThink: { usual: [50, 400], slow: [400, 900], chance: 0.3 },
    },
    { together: ['appendAgain'], promises: ['own write', 'max lag'] },
  ),
];

/** Guards that nothing was found without, and why; what the exhaustive model says of each is said here too. */
export const REDUNDANT: Readonly<Partial<Record<Guard | OuterGuard, string>>> = {
  ownWait:
    'An own record goes into the own table, with its bound of commits, before its receipt: nothing older is served whether or not the follower has come by (model: "ownWait, but the own record goes into the own table at once: holds"). It makes the receipt `applied` true.',
  serverBoth:
    'With epochs the own table cannot know more of an epoch than its server: what lost a record has begun another epoch, and entries of the old one are refused by the answer itself. An own record that overtakes the answer is checked for joiners by `completion`, and a queued one refuses before the server is asked. (The model found it necessary in the wording without epochs, and was not run without it since.)',
  pastHead:
    'A head behind what a node has applied comes with another run or replication id (`bothIds`), which begins the new epoch (model: "failback: without pastHead: holds"). It helps against data restored under a running server.',
  captureGapOwn:
    'A gap that is opened meanwhile has another reason, which is found again: a slot made anew is further than what is written down (`captureMoved`), and a publication that was changed has another mark (`capturePublication`).',
  presenceProof:
    'A reading enters its node into the list in the same script that answers it: whoever looked at the list before has appended before, so that the answer has the record; and a list that was lost has another id (`everywhereKnown`). It matters to a server that could do the two only one after the other.',
};
