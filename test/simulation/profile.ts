import type { SeededRandom } from '../../src/testing/seeded-random.ts';
import type { TargetKind } from './catalogue.ts';
import type { FaultKind } from './fault-kind.ts';
import type { ReadCall } from './history.ts';
import type { LatencyShape } from './latency.ts';

export type Range = readonly [number, number];

export type DrawnCall = Exclude<ReadCall, 'audit' | 'bypass' | 'keyv'>;

/** How the log's server sets its clock, and so which numbers it issues. */
export type ServerClock = 'right' | 'behind';

/**
 * What is drawn from for one run: sizes as ranges (both ends included), choices as lists, mixtures as weights,
 * probabilities from 0 to 1, times in ms.
 */
export interface Profile {
  readonly name: string;
  readonly nodes: Range;
  readonly rows: Range;
  readonly maxLag: readonly number[];
  /** How long the fleet is busy, in units of `maxLag`. */
  readonly length: number;
  /** Readers of each node, and writers of the whole fleet. */
  readonly readers: Range;
  readonly writers: Range;
  /** Writers are on so many nodes, or on all where there are fewer. */
  readonly writing: readonly number[];
  readonly readThink: LatencyShape;
  readonly writeThink: LatencyShape;
  readonly calls: Readonly<Partial<Record<DrawnCall, number>>>;
  readonly targets: Readonly<Partial<Record<TargetKind, number>>>;
  /** Several transactions at once, whose invalidations share an append. */
  readonly bursts: number;
  readonly burst: Range;
  /** A value that a process read itself and hands to the cache. */
  readonly sets: number;
  /** A writer reads its own write at once, or hands its token to another node. */
  readonly rereads: number;
  readonly log: LatencyShape;
  readonly follower: LatencyShape;
  /** Of the first node, where it differs. */
  readonly firstFollower?: LatencyShape;
  readonly values: LatencyShape;
  readonly replication: LatencyShape;
  /** A loader before and after it reads the database. */
  readonly loaderBefore: LatencyShape;
  readonly loaderAfter: LatencyShape;
  readonly loaderFails: number;
  readonly loaderHangs: number;
  /** Between the commit and the call of `invalidate`. */
  readonly commitReturns: LatencyShape;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly faultCount: Range;
  /** Servers of the log; where there are replicas, that one of them must confirm. */
  readonly servers: readonly number[];
  readonly replicas: number;
  readonly serverClock: readonly ServerClock[];
  readonly store: number;
  readonly check: number;
  readonly lease: number;
  /** That nodes know of one another, and how many of the invalidations then wait for all of them. */
  readonly presence: number;
  readonly everywhere: number;
  /** That the whole fleet promises strict writes, and how many of the writes then are. */
  readonly strict: number;
  readonly strictWrites: number;
  /** How long a node may take to confirm an announcement. */
  readonly announceTimeout: number;
  /** Between a strict writer's COMMIT and its being carried out. */
  readonly commitTakes: LatencyShape;
  /** Of strict writes: how many are rolled back, and of how many the writer never hears how they ended. */
  readonly rollbacks: number;
  readonly commitsLost: number;
  /**
   * That writers leave what they invalidate in an outbox, which relays finish (two of them now and then, both active), and how many of
   * the commits end without their writer's hearing of it.
   */
  readonly outbox: number;
  readonly outboxLost: number;
  /**
   * That relays read the database's own log: whether rows are mapped to targets, of which kinds; whether a slot that is gone is made
   * anew by the relay, rather than by somebody; how many change rows and tell nobody; how long their commits are in the log before they
   * are visible; and how many of the other writers leave a message in it.
   */
  readonly capture: number;
  readonly mapped: number;
  readonly mappings: readonly TargetKind[];
  readonly recreate: number;
  readonly foreigners: Range;
  readonly commitShows: LatencyShape;
  readonly walWrites: number;
  /**
   * Whether a strict write is promised from its commit on, while its writer can reach the log: delays are so short that a writer that
   * no fault befalls notices each new epoch in `maxLag`.
   */
  readonly connected: boolean;
  /** Entries in memory; 0 for none. */
  readonly memory: readonly number[];
  readonly ttl: readonly number[];
  readonly loadTimeout: number;
  readonly maxLife: readonly number[];
  readonly slots: readonly number[];
  /** Length that the stream is trimmed to, and most records in one answer. */
  readonly kept: readonly number[];
  readonly limit: readonly number[];
  readonly maxQueue: readonly number[];
  readonly patience: readonly number[];
  /** Serves while detached for so long; 0 for not. */
  readonly serveDetached: readonly number[];
  /** That loaders read a replica of the database, and how far it is behind. */
  readonly replicaReads: number;
  readonly replicaLag: Range;
  /** That a node runs the later release, with one more tag. */
  readonly newer: number;
  /** That releases with two versions of the query share the fleet, and lift each other's values. */
  readonly versions: number;
  /** That readers also read through a Keyv, as `wrap` does: get, load, set; writers then name its keys too. */
  readonly keyv: number;
  /** That the query's loads go through a breaker that the fleet shares. Some processes have a fallback then. */
  readonly breakers: number;
  /** Of the processes: how many write several values to the store by one request. */
  readonly batches: number;
  /** Of the requests that write several values: how many are interrupted, so that a part of them is kept. */
  readonly interrupts: number;
  readonly eager: number;
  /** That readers bypass the cache now and then. (Rare: it slows down every promise of the process.) */
  readonly bypass: number;
  readonly jitter: number;
  /**
   * Clients of the whole fleet, whose requests go to any node in sessions; in what share of runs there are any; and how many of
   * their requests write. (Rare, as bypass is.)
   */
  readonly clients: Range;
  readonly sessions: number;
  readonly clientWrites: number;
}

export const USUAL: Profile = {
  name: 'usual',
  nodes: [2, 3],
  rows: [1, 6],
  maxLag: [500],
  length: 9,
  readers: [1, 3],
  writers: [1, 3],
  writing: [1, 3, 3],
  readThink: { usual: [0, 60], slow: [60, 400], chance: 0.15 },
  writeThink: { usual: [20, 400], slow: [400, 1_500], chance: 0.2 },
  calls: {
    query: 14,
    read: 30,
    getOrSet: 14,
    get: 5,
    peek: 12,
    many: 8,
    consistent: 5,
    atLeast: 8,
    maxStaleness: 4,
    grace: 4,
    shadow: 4,
  },
  targets: { key: 30, prefix: 10, tag: 10, extra: 8, dynamic: 12, pattern: 12, everything: 3 },
  bursts: 0.15,
  burst: [2, 4],
  sets: 0.05,
  rereads: 0.6,
  log: { usual: [0.2, 4], slow: [5, 120], chance: 0.1 },
  follower: { usual: [0.2, 4], slow: [5, 150], chance: 0.1 },
  values: { usual: [0.2, 4], slow: [5, 120], chance: 0.1 },
  replication: { usual: [0.2, 4], slow: [5, 60], chance: 0.05 },
  loaderBefore: { usual: [0, 15], slow: [15, 500], chance: 0.15 },
  loaderAfter: { usual: [0, 15], slow: [15, 700], chance: 0.2 },
  loaderFails: 0.02,
  loaderHangs: 0.004,
  commitReturns: { usual: [0, 5], slow: [5, 300], chance: 0.1 },
  faults: {
    'cut-data': 3,
    'cut-follower': 4,
    'cut-values': 2,
    'stall-data': 3,
    'stall-follower': 4,
    'stall-values': 2,
    unreachable: 2,
    'slow-network': 1,
    trim: 3,
    empty: 3,
    'lose-state': 1,
    'lose-stream': 2,
    'lose-table': 2,
    'lose-bans': 2,
    'lose-nodes': 2,
    restart: 2,
    failover: 4,
    failback: 2,
    isolate: 3,
    'server-clock': 1,
    pause: 3,
    suspend: 3,
    kill: 3,
    'wall-clock': 2,
    evict: 2,
    'lose-writes': 1,
    'values-fail': 1,
    'lose-leases': 1,
    'loaders-fail': 1,
    'loaders-down': 1,
    'loaders-slow': 1,
    'replica-lag': 1,
    'kill-relay': 2,
    'pause-relay': 1,
    'cut-relay': 3,
    'stall-relay': 1,
    'standby-away': 3,
    'crash-database': 2,
    'lose-slot': 2,
    'move-slot': 2,
    unpublish: 1,
  },
  faultCount: [0, 5],
  servers: [1, 1, 2, 3],
  replicas: 0.5,
  serverClock: ['right', 'right', 'behind'],
  store: 0.85,
  check: 0.6,
  lease: 0.5,
  presence: 0.7,
  everywhere: 0.25,
  strict: 0.35,
  strictWrites: 0.4,
  announceTimeout: 1_500,
  commitTakes: { usual: [0, 15], slow: [15, 1_500], chance: 0.2 },
  rollbacks: 0.1,
  commitsLost: 0.1,
  outbox: 0.35,
  outboxLost: 0.1,
  capture: 0.35,
  mapped: 0.85,
  mappings: ['key', 'key', 'prefix', 'tag', 'dynamic', 'pattern'],
  recreate: 0.5,
  foreigners: [1, 2],
  commitShows: { usual: [0, 3], slow: [3, 700], chance: 0.2 },
  walWrites: 0.3,
  connected: false,
  memory: [1_000, 1_000, 1_000, 3, 0],
  ttl: [900_000, 900_000, 900_000, 800],
  loadTimeout: 1_200,
  maxLife: [1_800_000, 1_800_000, 3_000],
  slots: [64, 256, 256],
  kept: [2, 5, 50, 50],
  limit: [1, 3, 1_000, 1_000],
  maxQueue: [1_000, 1_000, 3],
  patience: [30, 150],
  serveDetached: [0, 0, 0, 700],
  replicaReads: 0.2,
  replicaLag: [0, 600],
  newer: 0.4,
  versions: 0.25,
  keyv: 0.25,
  breakers: 0.35,
  batches: 0.6,
  interrupts: 0.3,
  eager: 0.1,
  bypass: 0.02,
  jitter: 0.2,
  clients: [1, 3],
  sessions: 0.25,
  clientWrites: 0.4,
};

/** Everything about one run that is decided before it begins. */
export interface Plan {
  readonly profile: Profile;
  readonly nodes: number;
  readonly rows: number;
  readonly maxLag: number;
  readonly readers: number;
  readonly writers: number;
  readonly writing: number;
  readonly servers: number;
  readonly replicas: number;
  readonly serverClock: ServerClock;
  readonly store: boolean;
  readonly check: boolean;
  readonly lease: boolean;
  readonly presence: boolean;
  readonly strict: boolean;
  readonly outbox: boolean;
  readonly capture: boolean;
  readonly mapped: boolean;
  readonly mapping: TargetKind;
  readonly recreate: boolean;
  readonly foreigners: number;
  readonly memory: number;
  readonly ttl: number;
  readonly maxLife: number;
  readonly slots: number;
  readonly kept: number;
  readonly limit: number;
  readonly maxQueue: number;
  readonly patience: number;
  readonly serveDetached: number;
  readonly replicaReads: boolean;
  readonly replicaLag: number;
  readonly eager: boolean;
  readonly bypass: boolean;
  readonly jitter: number;
  readonly versions: boolean;
  readonly keyv: boolean;
  readonly breakers: boolean;
  readonly faults: number;
  readonly clients: number;
}

export function drawPlan(profile: Profile, random: SeededRandom): Plan {
  const range = ([low, high]: Range): number => low + random.below(high - low + 1);
  const servers = random.pick(profile.servers);
  const nodes = range(profile.nodes);
  const strict = profile.strict > 0 && random.chance(profile.strict);
  const outbox = profile.outbox > 0 && random.chance(profile.outbox);
  const capture = profile.capture > 0 && random.chance(profile.capture);
  const mapped = capture && random.chance(profile.mapped);
  return {
    profile,
    nodes,
    rows: range(profile.rows),
    maxLag: random.pick(profile.maxLag),
    readers: range(profile.readers),
    writers: range(profile.writers),
    writing: Math.min(nodes, random.pick(profile.writing)),
    servers,
    replicas: servers > 1 && random.chance(profile.replicas) ? 1 : 0,
    serverClock: random.pick(profile.serverClock),
    store: random.chance(profile.store),
    check: random.chance(profile.check),
    lease: random.chance(profile.lease),
    presence: random.chance(profile.presence) || strict,
    strict,
    outbox,
    capture,
    mapped,
    mapping: capture ? random.pick(profile.mappings) : 'key',
    recreate: capture && random.chance(profile.recreate),
    foreigners: mapped ? range(profile.foreigners) : 0,
    memory: random.pick(profile.memory),
    ttl: random.pick(profile.ttl),
    maxLife: random.pick(profile.maxLife),
    slots: random.pick(profile.slots),
    kept: random.pick(profile.kept),
    limit: random.pick(profile.limit),
    maxQueue: random.pick(profile.maxQueue),
    patience: random.pick(profile.patience),
    serveDetached: random.pick(profile.serveDetached),
    replicaReads: random.chance(profile.replicaReads),
    replicaLag: random.between(...profile.replicaLag),
    eager: random.chance(profile.eager),
    bypass: random.chance(profile.bypass),
    jitter: random.chance(profile.jitter) ? 0.3 : 0,
    faults: range(profile.faultCount),
    // Drawn only where there are any: runs of other profiles stay what they were.
    versions: profile.versions > 0 && random.chance(profile.versions),
    clients: profile.sessions > 0 && random.chance(profile.sessions) ? range(profile.clients) : 0,
    keyv: profile.keyv > 0 && random.chance(profile.keyv),
    breakers: profile.breakers > 0 && random.chance(profile.breakers),
  };
}

/** The plan in one line, for a failing run's story. */
export function describePlan(plan: Plan): string {
  const { profile, ...rest } = plan;
  return `profile ${profile.name}: ${Object.entries(rest)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value * 10) / 10 : String(value)}`)
    .join(', ')}`;
}
