import assert from 'node:assert/strict';
import type { Label } from '../coherence/label.ts';
import type { InvalidationLog, LogOptions, Snapshot } from '../coherence/log.ts';
import type { Draft, LogRecord } from '../coherence/record.ts';
import { View } from '../coherence/view.ts';

/** A log that nothing was appended to yet, as the contracts handle it. */
export interface LogSubject {
  readonly log: InvalidationLog;
  /** What the log was created with. A short `maxLife` makes the case about retired bans short too. */
  readonly options: LogOptions;
  /** The stopwatch that the log dates its proofs with. */
  readonly now: () => number;
  /** Lets at least so many ms pass, for the log, its server and `now`. */
  readonly elapse: (ms: number) => Promise<void>;
  /** Makes the log forget its records up to a number, as trimming does. */
  readonly trim?: (number: number) => unknown;
  /** Makes the log lose everything, as an emptied server does. */
  readonly lose?: () => unknown;
}

/** Far more records than any case makes. */
const ALL = 100_000;

/** A draft of a subject's own: the id is made of its count. */
export class Drafts {
  #made = 0;

  make(some: Partial<Draft> = {}): Draft {
    const id = (++this.#made).toString(16).padStart(32, '0');
    return { kind: 'invalidate', id, origin: 'contract#1', labels: [], patterns: [], time: 5, ...some };
  }

  many(count: number): Draft[] {
    return Array.from({ length: count }, () => this.make());
  }
}

/** A label that nothing else in a case has; halves of all signs, as hashes have them. */
export function labelOf(number: number): Label {
  return { high: Math.imul(number + 1, 0x9e3779b9) | 0, low: Math.imul(number + 7, 0x85ebca6b) | 0 };
}

/** Records after a number of the log's present epoch, as one reading brings them. */
export async function recordsOf({ log }: LogSubject, after: number = 0): Promise<readonly LogRecord[]> {
  const { epoch } = await log.snapshot();
  const { records } = await log.read({ epoch, number: after }, { wait: 0, limit: ALL });
  return records;
}

/** Appends, and answers the numbers. */
export async function appended({ log }: LogSubject, ...drafts: readonly Draft[]): Promise<readonly number[]> {
  return (await log.append(drafts)).numbers;
}

/** The number that one draft was appended at. */
export async function appendedAt(subject: LogSubject, draft: Draft): Promise<number> {
  const [number] = await appended(subject, draft);
  assert.ok(number !== undefined, 'no number for the draft');
  return number;
}

/**
 * What a node knows that took over `start` and has applied these records. The state of a log is by definition the same:
 * whoever copies it must not know less than who followed.
 */
export function followed(start: Snapshot, records: readonly LogRecord[]): View {
  const view = new View(start.options);
  view.adopt(start);
  for (const record of records) {
    assert.equal(record.prev, view.applied, 'the chain is broken');
    view.apply(record);
  }
  return view;
}

/** A snapshot without its times, which are the log's own; the table as one number for each slot. */
export function stateOf(snapshot: Snapshot): object {
  const { epoch, head, floor, lsn, options } = snapshot;
  return {
    ...{ epoch, head, floor, lsn, options },
    table: [...new Float64Array(Uint8Array.from(snapshot.table).buffer)],
    bans: snapshot.bans.map(({ number, pattern }) => ({ number, pattern })).sort((a, b) => a.number - b.number),
    announcements: snapshot.announcements.toSorted((a, b) => a.number - b.number),
  };
}
