/**
 * Guards that are not in the library but in whoever implements its ports or uses it: in the log's server, in its client,
 * in the writer of an application. The simulation has them, and can take them out, like those of `guards.ts`.
 */
export const OUTER_GUARDS = [
  'writeOrder', // a record is appended after its change is visible
  'fallbackOutside', // what stands in for a load that failed is made outside of the loader, where it would be kept
  'tableHeader', // each of the log's keys carries the epoch, so that one that was re-created is noticed
  'bothIds', // the server's run id and its replication id are compared with the stored ones
  'proofVerifies', // a reading that proves freshness compares them too
  'pastHead', // a node that reports a position beyond the head makes the server begin a new epoch
  'appendWaits', // an append counts as made once the replicas have confirmed it
  'waitOwnConnection', // ... on the connection that made it
  'onlyProofsProve', // records of a blocking read, which verifies nothing, date no proof
  'presenceProof', // a node that was not in the list of nodes has proved nothing
  'snapshotOpen', // a copy of the log lists the announcements that are open
  'closeByRecord', // what ends an announcement covers what it named
  'outboxProven', // a relay gives up a row only where the log has proven that it holds its message
  'outboxWhole', // a relay looks at all rows, also below ids that it has seen
  'outboxOtherId', // a commit of which nobody knows whether it was made is not invalidated under its row's id
  'captureVisible', // a change that was captured is appended once everybody sees it
  'captureOutstanding', // a relay acknowledges nothing behind what it has not appended
  'captureProven', // ... nor what the log has not proven to hold
  'captureConfirmed', // ... which it asks for, rather than to believe the answer to its append
  'captureBound', // what was captured carries the bound of its commit
  'captureSeen', // a writer's message is left to the writer until the log has proven to hold it, and no longer
  'captureGap', // where changes may have been missed everything is invalidated
  'captureGapTwice', // ... and again when all have ended that it may hide
  'captureGapKept', // ... also by another relay: a gap is written down before anything is done about it
  'captureGapOwn', // who has mended a gap closes that one, and none that was opened meanwhile
  'captureMoved', // a slot that is further than what is written down was moved, or made anew
  'capturePublication', // what was not published for a while was missed
  'relayAsks', // a relay closes no announcement whose transaction may still commit
] as const;

export type OuterGuard = (typeof OUTER_GUARDS)[number];
