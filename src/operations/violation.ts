import type { From, InspectedLabel, Token } from '../index.ts';
import { type Comparison, hashOf, type Look } from './comparison.ts';
import type { RecentRecord } from './recent-records.ts';

/** A record that was applied around the time at which something was served. */
export interface NearRecord {
  readonly number: number;
  /** Milliseconds since 1970, here. */
  readonly appliedAt: number;
  readonly kind: string;
  readonly origin: string;
  readonly event: string | undefined;
  readonly targets: readonly string[] | undefined;
  readonly trace: string | undefined;
}

/**
 * - `violation`: something was served that the source does not have, and no record covers it.
 * - `unstable`: the source did not agree with itself, and nothing came of the comparison.
 * - `mutated`: somebody has changed the object that was served.
 */
export type ViolationKind = 'violation' | 'unstable' | 'mutated';

/** Something that a sample has shown, with its story. */
export interface Violation {
  readonly kind: ViolationKind;
  readonly key: string;
  /** The path of the query; `undefined` for what is read by key. */
  readonly query: string | undefined;
  readonly node: string;
  readonly from: From;
  /** The log position that its loader started from. */
  readonly mark: Token | undefined;
  /** Milliseconds since its load began, when it was served. */
  readonly age: number;
  /** Milliseconds since 1970. */
  readonly servedAt: number;
  readonly foundAt: number;
  /** Hashes of what was served and of what the source had at last; `undefined` for what has no canonical JSON. */
  readonly served: string | undefined;
  readonly loaded: string | undefined;
  /** The values, where `SamplerOptions.values` allows it. */
  readonly values: { readonly served: unknown; readonly loaded: unknown } | undefined;
  readonly looks: readonly Look[];
  /** What it depends on, with the newest record that covers each: none of them is after its mark. */
  readonly labels: readonly InspectedLabel[];
  /** Applied around the time when it was served, oldest first. */
  readonly records: readonly NearRecord[];
  /** The story in a sentence, and what to do. */
  readonly message: string;
  readonly recommendation: string;
}

/** Where a story is told. */
export interface Telling {
  readonly node: string;
  /** Now, in milliseconds since 1970. */
  readonly wall: number;
  readonly values: boolean;
  /** Newest first. */
  readonly records: readonly RecentRecord[];
}

export function violationOf(kind: ViolationKind, comparison: Comparison, telling: Telling): Violation {
  const { sample, servedAt, hash, looks, loaded } = comparison;
  const { key, query, from, mark, age, value } = sample;
  const { node, wall, values, records } = telling;
  return {
    ...{ kind, key, query, node, from, mark, age, servedAt, looks, foundAt: wall },
    ...{ served: hash, loaded: hashOf(loaded), values: values ? { served: value, loaded } : undefined },
    labels: sample.labels(),
    records: nearest(records, servedAt),
    message: MESSAGES[kind](comparison),
    recommendation: recommendation(kind, comparison),
  };
}

const MESSAGES: Readonly<Record<ViolationKind, (it: Comparison) => string>> = {
  violation: ({ sample, looks }) =>
    `'${sample.key}' was served from ${sample.from}, loaded ${seconds(sample.age)} before, and its source had something else at ${looks.length} looks, the last ${seconds(looks.at(-1)?.after ?? 0)} after it was served. No record covers it.`,
  unstable: ({ sample, looks }) =>
    `'${sample.key}': at ${looks.length} looks the source did not agree with itself, so what was served from ${sample.from} cannot be judged.`,
  mutated: ({ sample }) => `'${sample.key}': the object that was served from ${sample.from} was changed afterwards.`,
};

function recommendation(kind: ViolationKind, { sample, loaded }: Comparison): string {
  const what = sample.query === undefined ? `'${sample.key}'` : `query '${sample.query}'`;
  if (kind === 'mutated')
    return `Let nobody change values that ${what} returns: memory gives the same object to every reader. \`freeze: true\` shows who does.`;
  if (kind === 'unstable')
    return `Take what differs from load to load (times, random numbers, an order without ORDER BY, a lagging replica) out of the loader of ${what}, or ignore it in its \`equals\`; if its rows do change all the time, invalidate where they are changed.`;
  if (looksAlike(sample.value, loaded))
    return `Give ${what} a serializer that keeps its values whole, or let its loader return plain data: what was kept looks the same as JSON, and is not.`;
  return `Find who changes what ${what} reads without invalidating it, and invalidate there; or capture the database's own log, which sees every write. Until then: invalidate '${sample.key}', or shorten its TTL.`;
}

/** What a serializer has changed often looks the same in writing, such as a date that has become a text. */
function looksAlike(one: unknown, other: unknown): boolean {
  try {
    return JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return false;
  }
}

/** So many before, and so many after. */
const NEAR = 5;

function nearest(records: readonly RecentRecord[], servedAt: number): NearRecord[] {
  const after = records.filter(({ appliedAt }) => appliedAt > servedAt).slice(-NEAR);
  const before = records.filter(({ appliedAt }) => appliedAt <= servedAt).slice(0, NEAR);
  return [...after, ...before].toReversed().map(({ record, appliedAt }) => ({
    ...{ number: record.number, appliedAt, kind: record.kind, origin: record.origin },
    ...{ event: record.cause?.event, targets: record.targets, trace: record.cause?.trace },
  }));
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
