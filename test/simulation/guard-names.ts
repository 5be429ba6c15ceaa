import type { Guard } from '../../src/coherence/guards.ts';
import { OUTER_GUARDS } from './server-guards.ts';
import type { AnyGuard } from './trial.ts';

/** Every guard of the library, in the order of `guards.ts`. The compiler sees to it that none is missing. */
const INNER: Readonly<Record<Guard, true>> = {
  covered: true,
  epoch: true,
  floor: true,
  bans: true,
  bansRetireToFloor: true,
  memoApplied: true,
  announcements: true,
  age: true,
  bothClocks: true,
  provenAt: true,
  replicas: true,
  fullBatch: true,
  emptyBelowHead: true,
  chain: true,
  epochCheck: true,
  markBefore: true,
  promotionMark: true,
  ownTable: true,
  ownWait: true,
  appendAgain: true,
  queueCovers: true,
  requeueFirst: true,
  crossedEpoch: true,
  completion: true,
  detachedJoin: true,
  tokenEpoch: true,
  tokenJoin: true,
  readerLabels: true,
  serverLabels: true,
  serverBoth: true,
  serverProven: true,
  staleSince: true,
  consistentHead: true,
  consistentHeadAfter: true,
  consistentWait: true,
  consistentRecheck: true,
  consistentEpoch: true,
  presenceFirst: true,
  everywhereWait: true,
  everywhereKnown: true,
  lsnUnknown: true,
};

/** All guards that can be taken out. */
export const GUARDS: readonly AnyGuard[] = [...(Object.keys(INNER) as Guard[]), ...OUTER_GUARDS];
