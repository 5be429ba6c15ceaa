import type { Provenance } from 'tidemark';

/** The last month in the books: what is shown when no month is asked for. */
export const lastPeriod = '2025-11';

/** A report as it is answered. */
export interface Answer<T> {
  readonly cached: boolean;
  readonly from: Provenance<T>['from'];
  readonly stale: boolean;
  /** In milliseconds. */
  readonly age: number;
  readonly data: T;
}

/** A report with where it came from. */
export function answer<T>({ value, from, stale, age }: Provenance<T>): Answer<T> {
  return { cached: from !== 'loader', from, stale, age: Math.round(age), data: value };
}
