import type { Results } from './results.ts';
import { markdownTable, tableOf } from './table.ts';

const BEGIN = '<!-- results: written by `npm run bench` -->';
const END = '<!-- end of results -->';

/** The README with its results replaced; what people wrote around them stays. */
export function withResults(readme: string, results: Results): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`The README has lost its marks ${BEGIN} and ${END}.`);
  return `${readme.slice(0, begin)}${BEGIN}\n\n${resultsText(results)}\n\n${readme.slice(end)}`;
}

function resultsText({ machine, libraries, questions }: Results): string {
  const versions = Object.entries(libraries).map(([name, version]) => `${name} ${version}`);
  const answers = Object.values(questions);
  const targets = answers.flatMap((it) => it.targets);
  return [
    `Measured on ${machine}, nothing else running. ${versions.join(', ')}.`,
    '## What was promised',
    markdownTable([
      ['promise', 'measured', ''],
      ...targets.map(({ promise, figure, kept }) => [promise, figure, kept ? 'kept' : '**missed**']),
    ]),
    ...answers.flatMap((answer) => [`## ${answer.title}`, answer.asks, markdownTable(tableOf(answer))]),
  ].join('\n\n');
}
