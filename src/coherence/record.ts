import type { Label } from './label.ts';
import { keyLabel, tagLabel } from './label.ts';
import type { Position } from './position.ts';
import type { Target } from './target.ts';

/**
 * What a record does. `invalidate` covers its labels and patterns; `everything` raises the floor to its own position;
 * `announce` withholds its labels and patterns until a record closes it; `close` ends the announcement it names, and
 * covers its labels and patterns; `floor` raises the floor to a stated number.
 */
export type RecordKind = 'invalidate' | 'everything' | 'announce' | 'close' | 'floor';

/**
 * An upper bound of the database's log position at the commit, for readers of replicas: a number, `'unknown'` (in doubt
 * until a bound is known that was read later), or `undefined` where no database is involved.
 */
export type Lsn = bigint | 'unknown' | undefined;

/** What people and tools want to know of a record. Travels in extensions that a reader may skip. */
export interface Cause {
  /** What happened in the domain, such as `budget.updated`. */
  readonly event?: string;
  readonly entityType?: string;
  readonly entityId?: string;
  readonly action?: string;
  /** W3C `traceparent` of the request that changed the data. */
  readonly trace?: string;
  /** Flat fields for the log line, such as `{ org: 'ORG1' }`. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** A record before the log has given it a position. */
export interface Draft {
  readonly kind: RecordKind;
  /** Message id: 32 hexadecimal digits. Sent twice, it is harmless. */
  readonly id: string;
  /** The node that made it: `service#random`. */
  readonly origin: string;
  readonly labels: readonly Label[];
  readonly patterns: readonly string[];
  /** The id of the announcement that a `close` ends. */
  readonly closes?: string | undefined;
  /** What a `floor` raises the floor to. */
  readonly floor?: number | undefined;
  readonly lsn?: Lsn;
  /** What its maker had applied before it read `lsn`: only such a bound is certain to be above a commit whose own is unknown. */
  readonly lsnAfter?: Position | undefined;
  /** Its maker waits for every node: who applies it says so at once, see `Presence`. */
  readonly confirm?: boolean | undefined;
  /** The sender's wall clock, in milliseconds since 1970. For people; nothing compares it. */
  readonly time: number;
  /** The targets in readable form, where they are known. */
  readonly targets?: readonly string[] | undefined;
  readonly cause?: Cause | undefined;
}

/** What is known of a change beside its targets; see {@link Draft}. */
export interface DraftDetails {
  /** The message id, 32 hexadecimal digits; one of this node's own where there is none. */
  readonly id?: string | undefined;
  readonly cause?: Cause | undefined;
  readonly lsn?: Lsn;
  readonly lsnAfter?: Position | undefined;
  /** Every node is asked to say when it has applied the record; see `Presence`. */
  readonly confirm?: boolean | undefined;
}

/** One append: a draft with its place in the log. */
export interface LogRecord extends Draft {
  readonly number: number;
  /** The number of the record before it in this epoch, 0 for the first: a chain, so that a gap is seen. */
  readonly prev: number;
}

/** What targets come to. */
export interface Coverage extends Pick<Draft, 'kind'> {
  readonly labels: Label[];
  readonly patterns: string[];
}

/**
 * Targets as an announcement names them, and the record that closes it: withholding everything is withholding every key.
 */
export function announcedBy(targets: readonly Target[]): Omit<Coverage, 'kind'> {
  const { kind, labels, patterns } = coverageOf(targets);
  return kind === 'everything' ? { labels: [], patterns: ['*'] } : { labels, patterns };
}

/** The labels and patterns of targets, in lists of their own; `everything` among them swallows the rest. */
export function coverageOf(targets: readonly Target[]): Coverage {
  const coverage: Coverage = { kind: 'invalidate', labels: [], patterns: [] };
  for (const it of targets) {
    if (it.kind === 'everything') return { kind: 'everything', labels: [], patterns: [] };
    addCoverage(coverage, it);
  }
  return coverage;
}

/** Adds what a target covers, unless it is everything, to lists that may grow. */
export function addCoverage({ labels, patterns }: Omit<Coverage, 'kind'>, it: Target): void {
  switch (it.kind) {
    case 'key':
      labels.push(keyLabel(it.key));
      if (it.literal !== undefined) labels.push(keyLabel(it.literal));
      break;
    case 'tag':
      labels.push(tagLabel(it.tag));
      break;
    case 'pattern':
      patterns.push(it.pattern);
      break;
    case 'everything':
      break;
    default:
      it satisfies never;
  }
}
