import { SITES } from '../simulation/catalogue.ts';
import type { Fact } from '../simulation/history.ts';

/** What a run has shown, apart from what it may have broken. */
export interface Figures {
  readonly counts: Readonly<Record<string, number>>;
  /** Ages in ms, in order, of reads that did not show a record which had been appended before they were asked. */
  readonly ages: readonly number[];
  /** How long reads took that were not answered from memory, in ms, in order. */
  readonly times: readonly number[];
  /** Rows on nodes that were, at the very end, older than what was invalidated last. */
  readonly stale: number;
}

/** @param facts in the order of time */
export function figuresOf(facts: readonly Fact[]): Figures {
  const counts: Record<string, number> = {};
  const count = (name: string): void => void (counts[name] = (counts[name] ?? 0) + 1);
  const appends = new Map<number, { at: number; version: number }[]>();
  const asked = new Map<number, Extract<Fact, { type: 'asked' }>>();
  /** By cell: the version that an invalidation was to show. */
  const meant = new Map<number, number>();
  const epochs = new Set<string>();
  const ages: number[] = [];
  const times: number[] = [];
  let stale = 0;
  for (const fact of facts) {
    switch (fact.type) {
      case 'appended':
        count('appends');
        epochs.add(fact.epoch);
        for (const cell of fact.cells) {
          const known = appends.get(cell) ?? [];
          const version = fact.versions[rowOf(cell)] ?? 0;
          if ((known.at(-1)?.version ?? 0) < version) known.push({ at: fact.at, version });
          appends.set(cell, known);
        }
        break;
      case 'called':
        for (const cell of fact.cells) meant.set(cell, Math.max(meant.get(cell) ?? 0, fact.versions[rowOf(cell)] ?? 0));
        break;
      case 'asked':
        asked.set(fact.read, fact);
        break;
      case 'answered': {
        const question = asked.get(fact.read);
        asked.delete(fact.read);
        if (question === undefined) break;
        count('reads');
        if (fact.from === 'store' || fact.from === 'loader') times.push(fact.at - question.at);
        count(`from ${fact.from}`);
        fact.values.forEach((value, i) => {
          if (value === undefined) return;
          const cell = question.cells[i] as number;
          const missed = firstAbove(appends.get(cell) ?? [], value.version);
          if (missed !== undefined && missed.at < question.at) ages.push(question.at - missed.at);
          if (question.wish.call === 'audit' && value.version < (meant.get(cell) ?? 0)) stale++;
        });
        break;
      }
      case 'failed':
        count(`failed: ${fact.code}`);
        break;
      case 'commit':
        count('writes');
        break;
      case 'acknowledged':
        count(`receipts ${fact.status}`);
        if (fact.everywhere) count('receipts everywhere');
        break;
      case 'loaded':
        count('loads');
        break;
      case 'node':
        count(fact.event);
        break;
      case 'killed':
        count('killed');
        break;
      case 'fault':
        count('strikes');
        break;
      default:
        break;
    }
  }
  counts['epochs'] = epochs.size;
  return { counts, ages: inOrder(ages), times: inOrder(times), stale };
}

function inOrder(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b);
}

/** The value below which a share of an ordered list lies; 0 for none. */
export function percentile(ordered: readonly number[], share: number): number {
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] ?? 0;
}

function firstAbove(list: readonly { at: number; version: number }[], version: number): { at: number } | undefined {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.version ?? 0) > version) high = middle;
    else low = middle + 1;
  }
  return list[low];
}

function rowOf(cell: number): number {
  return Math.floor(cell / SITES.length);
}
