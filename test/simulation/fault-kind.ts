/** What can go wrong with whatever captures, and with the database that it reads. */
export const CAPTURE_FAULTS = [
  'cut-relay',
  'stall-relay',
  'standby-away',
  'crash-database',
  'lose-slot',
  'move-slot',
  'unpublish',
] as const;

/** What can go wrong. */
export const FAULT_KINDS = [
  'cut-data',
  'cut-follower',
  'cut-values',
  'stall-data',
  'stall-follower',
  'stall-values',
  'unreachable',
  'slow-network',
  'trim',
  'empty',
  'empty-unheard',
  'lose-state',
  'lose-stream',
  'lose-table',
  'lose-bans',
  'lose-nodes',
  'restart',
  'failover',
  'failback',
  'isolate',
  'server-clock',
  'pause',
  'suspend',
  'kill',
  'wall-clock',
  'evict',
  'lose-writes',
  'values-fail',
  'lose-leases',
  'loaders-fail',
  'loaders-down',
  'loaders-slow',
  'replica-lag',
  'kill-relay',
  'pause-relay',
  ...CAPTURE_FAULTS,
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** Whether a fault befalls only what captures. */
export function isOfCapture(kind: FaultKind): boolean {
  return (CAPTURE_FAULTS as readonly FaultKind[]).includes(kind);
}
