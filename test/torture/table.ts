import { percentile } from './figures.ts';
import type { Verdict } from './torture.ts';

/** What a run has shown, a line for each figure. */
export function tableOf({ counts, ages, times, stale, violations }: Verdict): string {
  const broken = (promise: string): number => violations.filter((it) => it.promise === promise).length;
  const reads = counts['reads'] ?? 0;
  const share = (name: string): string => `${counts[name] ?? 0}`;
  const parts = (list: readonly number[]): string =>
    [0.5, 0.99, 0.999, 1].map((part) => percentile(list, part).toFixed(1)).join(' ');
  const rows: readonly (readonly [string, string | number])[] = [
    ['stale where the invalidation was acknowledged', broken('own write')],
    ['stale elsewhere for more than maxLag', broken('max lag')],
    ['stale after it was acknowledged everywhere', broken('everywhere')],
    ['older than a token', broken('token')],
    ['not valid at one position', broken('consistent')],
    ['not current at the end', stale],
    ['errors to readers', broken('error')],
    ['other violations', violations.filter((it) => !SHOWN.includes(it.promise)).length],
    ['ages, ms: p50 p99 p99.9 max', `${parts(ages)}  (${ages.length} of ${reads} reads)`],
    ['reads beyond memory took, ms', parts(times)],
    [
      'reads: memory, store, loader, unknown',
      ['memory', 'store', 'loader', 'unknown'].map((it) => share(`from ${it}`)).join(', '),
    ],
    ['writes, loads', `${share('writes')}, ${share('loads')}`],
    [
      'receipts: applied, appended, queued; everywhere',
      ['applied', 'appended', 'queued', 'everywhere'].map((it) => share(`receipts ${it}`)).join(', '),
    ],
    ['strikes, epochs, resyncs, detached', ['strikes', 'epochs', 'resync', 'detached'].map(share).join(', ')],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(48)} ${value}`).join('\n');
}

const SHOWN: readonly string[] = ['own write', 'max lag', 'everywhere', 'token', 'consistent', 'error'];
