/**
 * The guards that the proof found necessary (see docs/decisions.md). Each can be taken out by the simulation, and by
 * nothing else, to show that the checker then finds a violation.
 */
export type Guard =
  | 'covered' // the rule itself: labels against the table
  | 'epoch' // entries of another epoch are unprovable
  | 'floor' // entries marked before the floor are unprovable
  | 'bans' // patterns
  | 'bansRetireToFloor' // a ban retires only by raising the floor to it
  | 'memoApplied' // what was tested is remembered as of what was applied, not of the head
  | 'announcements' // open announcements withhold
  | 'young' // strict: in a young epoch nothing is served or kept
  | 'youngTwice' // ... for twice maxLag
  | 'youngJoin' // ... and no load is joined
  | 'strictJoin' // strict: a detached node joins no load that began before its reader
  | 'strictTolerance' // what a strict write withholds, or has covered, is tolerated by nobody
  | 'strictDetached' // strict: nothing is tolerated for longer than writers wait for a node that is cut off
  | 'strictLsn' // while a strict write is open, only the primary is certain to have it
  | 'strictConfirm' // announce resolves once every node has confirmed
  | 'reannounce' // what is announced is announced again in each epoch, before its writer attaches there
  | 'returnAppended' // a strict commit returns once its record is appended
  | 'returnConfirmed' // ... in an epoch in which every node has confirmed the announcement, or has confirmed the record
  | 'age' // a proof of freshness older than maxLag proves nothing
  | 'bothClocks' // a suspended machine is noticed by the wall clock
  | 'provenAt' // a proof is dated at the sending of its request
  | 'replicas' // a reading that the replicas did not confirm proves nothing
  | 'fullBatch' // a batch that does not reach the head proves nothing
  | 'emptyBelowHead' // an empty answer below the head means that records are gone
  | 'chain' // each record names its predecessor
  | 'epochCheck' // a reading of another epoch, or behind what was applied, means a new copy
  | 'markBefore' // the mark is taken before the load
  | 'promotionMark' // promotion keeps the old mark
  | 'ownTable' // an appended position goes into the own table at once
  | 'ownWait' // invalidate resolves once the follower has applied its record, in the record's epoch
  | 'appendAgain' // an own record whose epoch is gone is appended again
  | 'queueCovers' // queued targets cover every mark, and the node is not attached
  | 'requeueFirst' // own unconfirmed records are queued before a new epoch is adopted
  | 'crossedEpoch' // an append answered with another epoch keeps its targets queued
  | 'completion' // a flight's value is checked against each joiner's own start
  | 'detachedJoin' // while detached, only flights younger than maxLag are joined
  | 'tokenEpoch' // a token of another epoch is answered by the loader
  | 'tokenJoin' // a reader with a token joins only flights marked at or after it
  | 'versionPlace' // each version of a query keeps its values in places of their own
  | 'versionLabels' // ... under the labels of the one key that they share
  | 'liftedMark' // a value of another version keeps its mark when it is lifted
  | 'liftedLabels' // ... and its labels
  | 'tokenSince' // a token that cannot be placed is satisfied by what was loaded from the primary after it first came
  | 'sessionWrites' // what is invalidated in a session goes into its token
  | 'sessionPending' // ... also before its receipt is there
  | 'sessionQueued' // ... also where the log has not taken it
  | 'sessionEpochs' // positions of several epochs stand beside each other in it
  | 'missMark' // what a Keyv sets after a miss has the mark of that miss
  | 'missOldest' // ... of the oldest one that may still be loading
  | 'readerLabels' // labels checked are those of the envelope and of the reader
  | 'serverLabels' // a server-checked read asks for all labels of the envelope
  | 'serverBoth' // ... and checks both tables and the epoch
  | 'serverProven' // ... and needs the replicas' proof
  | 'staleSince' // tolerance is counted from the proof, not from the check
  | 'consistentHead' // consistent reads the head
  | 'consistentHeadAfter' // ... after its last load
  | 'consistentWait' // ... and waits until it was applied
  | 'consistentRecheck' // ... and checks all values again
  | 'consistentEpoch' // ... in the epoch of the head
  | 'presenceFirst' // a node enters the list of nodes before it takes its copy
  | 'everywhereWait' // acknowledged everywhere: all listed nodes have confirmed, or must have left service
  | 'everywhereKnown' // ... and the list has been known for as long as a node that it lost would serve
  | 'shadowLoads' // what is read in shadow mode is loaded for its reader
  | 'lsnUnknown'; // an unknown bound sends replica readers to the primary

/** Guards taken out; empty outside the simulation. */
export type RemovedGuards = ReadonlySet<Guard>;

export const NO_GUARD_REMOVED: RemovedGuards = new Set();
