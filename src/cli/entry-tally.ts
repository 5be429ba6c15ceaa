/** A stored entry, judged by the rule. */
export interface Judged {
  readonly key: string;
  readonly version?: number;
  /** `fresh`, or why it may not be served; `unreadable`, `unknown` where its bytes did not come, `gone`. */
  readonly verdict: string;
}

/** How many entries there are of each verdict. */
export interface Tally {
  readonly judged: number;
  readonly verdicts: Readonly<Record<string, number>>;
  /** Keys. */
  readonly unreadable: readonly string[];
  readonly violations: readonly string[];
}

/** The covered have the label's, the pattern's or the log's reason; together they are what memory and store free by and by. */
export function tallied(entries: readonly Judged[], violations: readonly string[]): Tally {
  const verdicts: Record<string, number> = {};
  for (const { verdict } of entries) verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  const unreadable = entries.filter(({ verdict }) => verdict === 'unreadable').map(({ key }) => key);
  const sorted = Object.entries(verdicts).sort(([, a], [, b]) => b - a);
  return { judged: entries.length, verdicts: Object.fromEntries(sorted), unreadable, violations };
}
