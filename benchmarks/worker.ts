import type { Effort, Question, Sample } from './question.ts';

/*
 * The process of one row. Its parent asks for a sample, reads the answer, and asks the next row's process: so all rows
 * are measured in turn, while none shares a heap, or what the compiler has learned, with another.
 */
const [name, row, effort] = process.argv.slice(2) as [string, string, string];

async function answer(): Promise<void> {
  const { question } = (await import(`./${name}.bench.ts`)) as { question: Question };
  const found = question.rows.find((it) => it.name === row);
  if (found === undefined) throw new Error(`${name} has no row ${row}`);
  const sample: Sample = await found.prepare(JSON.parse(effort) as Effort);
  process.on('message', () => {
    void (async () => process.send?.({ value: await sample() }))();
  });
  process.send?.({ ready: true });
}

process.on('disconnect', () => process.exit());
await answer();
