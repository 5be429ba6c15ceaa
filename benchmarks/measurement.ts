import type { Effort, Question } from './question.ts';
import { RowProcess } from './row-process.ts';

/** The samples of each row, by round. */
export type Samples = ReadonlyMap<string, readonly number[]>;

/**
 * Measures all rows of a question, each in a process of its own, in rounds: one sample of each row, beginning with
 * another row every time, so that what else the machine does meets all of them alike.
 */
export async function measure(name: string, question: Question, effort: Effort): Promise<Samples> {
  const { starts, rounds } = question.repeat ?? effort.repeat;
  const groups = question.alone ? question.rows.map((row) => [row]) : [question.rows];
  const samples = new Map<string, number[]>(question.rows.map((row) => [row.name, []]));
  for (let start = 0; start < starts; start++) {
    for (const rows of groups) await sampleTogether(name, { ...question, rows }, effort, rounds, samples);
  }
  return samples;
}

async function sampleTogether(
  name: string,
  question: Question,
  effort: Effort,
  rounds: number,
  samples: ReadonlyMap<string, number[]>,
): Promise<void> {
  const processes: RowProcess[] = [];
  try {
    for (const row of question.rows) processes.push(await RowProcess.start(name, row, question, effort));
    for (let round = 0; round < rounds; round++) {
      for (const process of rotated(processes, round)) samples.get(process.row.name)?.push(await process.sample());
    }
  } finally {
    await Promise.all(processes.map((process) => process.end()));
  }
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const from = by % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
}
