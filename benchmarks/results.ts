import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Samples } from './measurement.ts';
import type { Question } from './question.ts';
import { median, pairedRatio, spread } from './statistics.ts';

/** What a whole run came to: the content of results.json. */
export interface Results {
  /** `2 cores, Node 20.20`. */
  readonly machine: string;
  readonly quick: boolean;
  readonly libraries: Readonly<Record<string, string>>;
  readonly questions: Readonly<Record<string, Answer>>;
}

export interface Answer extends Pick<Question, 'title' | 'asks' | 'unit' | 'against' | 'scale'> {
  readonly rounds: number;
  readonly rows: readonly RowResult[];
  readonly targets: readonly TargetResult[];
}

export interface RowResult {
  readonly name: string;
  readonly median: number;
  /** Half the range of the middle half of the samples, as a share of the median. */
  readonly spread: number;
  readonly expected?: number;
  /** How many times the cost of each row it is compared with. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly samples: readonly number[];
}

export interface TargetResult {
  readonly promise: string;
  readonly figure: string;
  readonly kept: boolean;
}

export function answerOf(question: Question, samples: Samples): Answer {
  const { title, asks, unit, against, scale } = question;
  const of = (row: string): readonly number[] => samples.get(row) ?? [];
  const figures = { of: (row: string) => median(of(row)), ratio: (a: string, b: string) => pairedRatio(of(a), of(b)) };
  const rows = question.rows.map(({ name, expected }) => ({
    name,
    median: median(of(name)),
    spread: spread(of(name)),
    ...(expected === undefined ? {} : { expected }),
    ratios: Object.fromEntries(against.map((other) => [other, pairedRatio(of(name), of(other))])),
    samples: of(name),
  }));
  const targets = (question.targets ?? []).map(({ promise, judge }) => ({ promise, ...judge(figures) }));
  const rounds = Math.max(...rows.map((row) => row.samples.length));
  return { title, asks, unit, against, ...(scale === undefined ? {} : { scale }), rounds, rows, targets };
}

export function machine(): string {
  const [major, minor] = process.versions.node.split('.');
  return `${availableParallelism()} cores, Node ${major}.${minor}`;
}

/** The libraries that are compared, with their versions. */
export function libraries(): Record<string, string> {
  const manifest = readFileSync(new URL('package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { dependencies: Record<string, string> }).dependencies;
}
