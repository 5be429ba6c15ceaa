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
}

/** No delay worth speaking of. */
export const QUICK = { usual: [0.2, 3], slow: [0.2, 3], chance: 0 } as const;

/** Two nodes, a quiet network, one or two rows that everybody reads, one writer: nothing goes wrong by itself. */
const PLAIN: Profile = {
  ...USUAL,
  nodes: [2, 2],
  rows: [1, 2],
  readers: [2, 3],
  writers: [1, 2],
  writing: [1, 2],
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
  presence: 0,
  everywhere: 0,
  strict: 0,
  rollbacks: 0,
  commitsLost: 0,
  outbox: 0,
  outboxLost: 0,
  capture: 0,
  memory: [1_000],
  ttl: [900_000],
  maxLife: [1_800_000],
  slots: [256],
  kept: [50],
  limit: [1_000],
  maxQueue: [1_000],
  patience: [100],
  serveDetached: [0],
  replicaReads: 0,
  newer: 0,
  versions: 0,
  keyv: 0,
  breakers: 0,
  batches: 1,
  interrupts: 0,
  eager: 0,
  bypass: 0,
  jitter: 0,
  sessions: 0,
};

/** The setting of one guard: what differs from {@link PLAIN}. */
export const on = (
  guard: Guard | OuterGuard,
  overrides: Partial<Profile>,
  more: Partial<GuardProfile> = {},
): GuardProfile => ({ guard, profile: { ...PLAIN, ...overrides, name: guard }, ...more });
