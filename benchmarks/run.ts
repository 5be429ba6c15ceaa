import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chartOf } from './chart.ts';
import { measure } from './measurement.ts';
import { FULL, QUICK } from './question.ts';
import { questions } from './questions.ts';
import { withResults } from './readme.ts';
import { type Answer, answerOf, libraries, machine, type Results } from './results.ts';
import { plainTable, tableOf } from './table.ts';

const USAGE = `npm run bench -- [--quick] [--only <question>,...]

Asks every question of every library, side by side. A complete run takes about half an hour and rewrites results.json,
results.svg and the results in README.md; with --quick (short, noisy) or --only it prints, and writes nothing.

Questions: ${Object.keys(questions).join(', ')}`;

async function run(): Promise<void> {
  const { values: given } = parseArgs({
    options: { quick: { type: 'boolean' }, only: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (given.help) return console.log(USAGE);
  const quick = given.quick ?? false;
  const names = given.only?.split(',') ?? Object.keys(questions);
  const answers: Record<string, Answer> = {};
  for (const name of names) answers[name] = await ask(name, quick);
  const results = { machine: machine(), quick, libraries: libraries(), questions: answers };
  console.log(targetsText(results));
  if (!quick && given.only === undefined) write(results);
}

async function ask(name: string, quick: boolean): Promise<Answer> {
  const question = questions[name];
  if (question === undefined) throw new Error(`There is no question ${name}.\n${USAGE}`);
  const since = performance.now();
  const answer = answerOf(question, await measure(name, question, quick ? QUICK : FULL));
  const seconds = ((performance.now() - since) / 1_000).toFixed(0);
  console.log(`${answer.title} (${name}; rounds: ${answer.rounds}; ${seconds} s)\n${plainTable(tableOf(answer))}\n`);
  return answer;
}

function targetsText({ questions: answers, quick }: Results): string {
  const targets = Object.values(answers).flatMap((answer) => answer.targets);
  const lines = targets.map(({ kept, promise, figure }) => `  ${kept ? 'kept  ' : 'MISSED'}  ${promise}: ${figure}`);
  const caution = quick ? ' (a quick run decides nothing: it is noisy, and its "1,000,000 entries" are 100,000)' : '';
  return [`What was promised${caution}`, ...lines].join('\n');
}

function write(results: Results): void {
  const file = (name: string): URL => new URL(name, import.meta.url);
  writeFileSync(file('results.json'), `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(file('results.svg'), chartOf(results));
  writeFileSync(file('README.md'), withResults(readFileSync(file('README.md'), 'utf8'), results));
}

await run();
