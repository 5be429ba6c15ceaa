import type { Ledger } from './ledger.ts';
import type { LogWatch } from './log-watch.ts';
import type { Served } from './message.ts';

/** What reads came to, and what was measured beside them; lists are ordered. */
export interface Verdict {
  readonly reads: number;
  /** Reads that were answered without a load; and of them those of rows that had been written before. */
  readonly hits: number;
  readonly changed: number;
  /** Of hits that showed what a commit had replaced: for how long it had, in ms. */
  readonly staleness: readonly number[];
  /** The same of all reads, the longest; and what it may be: as far as the log was behind, and a node behind the log. */
  readonly stalest: number;
  readonly bound: number;
  /** From each commit until the log had a record about a row that it changed, in ms. */
  readonly lags: readonly number[];
  /** What must not be. */
  readonly violations: readonly string[];
}

export interface Evidence {
  readonly served: readonly Served[];
  readonly ledger: Ledger;
  readonly log: Pick<LogWatch, 'taken' | 'missed'>;
  /** When the run began, in ms of the wall clock. */
  readonly since: number;
  /** How far that is ahead of the clock of what was served. */
  readonly offset: number;
  /** How far a node may be behind the log, in ms. */
  readonly maxLag: number;
}

/** Judges what was served by what was committed. */
export function judge(evidence: Evidence): Verdict {
  const carried = judgeLog(evidence);
  const read = judgeReads(evidence);
  const violations = [...carried.violations, ...read.violations];
  const bound = (carried.lags.at(-1) ?? 0) + evidence.maxLag;
  if (read.stalest > bound)
    violations.push(`a read was ${read.stalest.toFixed(1)} ms behind its row, where ${bound.toFixed(1)} are the bound`);
  return { ...read, lags: carried.lags, bound, violations };
}

/** Whether every commit got to the log, and when. */
function judgeLog({ ledger, log, since }: Evidence): { lags: number[]; violations: string[] } {
  const lags: number[] = [];
  const without: string[] = [];
  for (const [row, { at }] of ledger.versions()) {
    if (at < since) continue;
    const taken = log.taken(row, at);
    if (taken === undefined) without.push(row);
    else lags.push(taken - at);
  }
  const violations = without.length === 0 ? [] : [`${without.length} changes are not in the log, of ${without[0]}`];
  if (log.missed) violations.push('who listened to the log has missed records of it');
  return { lags: lags.sort((a, b) => a - b), violations };
}

function judgeReads({ served, ledger, offset }: Evidence): Omit<Verdict, 'lags' | 'bound'> {
  const staleness: number[] = [];
  const violations: string[] = [];
  let [hits, changed, stalest] = [0, 0, 0];
  for (const [row, transaction, balance, began, hit] of served) {
    const version = ledger.version(row, transaction, balance);
    if (version === undefined) violations.push(`${row} was read as ${balance}, which it never was`);
    // Upper bounds: a commit is seen some time after its moment.
    const age = began + offset - (version?.next?.at ?? Number.POSITIVE_INFINITY);
    stalest = Math.max(stalest, age);
    if (!hit) continue;
    hits++;
    if (version?.at !== Number.NEGATIVE_INFINITY) changed++;
    if (age > 0) staleness.push(age);
  }
  return { reads: served.length, hits, changed, staleness: staleness.sort((a, b) => a - b), stalest, violations };
}
