import { readFileSync } from 'node:fs';
import { parsePage } from '../docs/page.ts';

/** A change of one file, as a page of the documentation shows it. */
export interface Diff {
  readonly file: string;
  /** Lines that are new, or new instead of others. */
  readonly changed: number;
  /** @throws Error where the text is not the one that the change begins from */
  apply(text: string): string;
}

/** The diff of this file in a page. */
export function diffOf(page: string, file: string): Diff {
  const blocks = parsePage(page, readFileSync(page, 'utf8')).blocks.filter(({ language }) => language === 'diff');
  const lines = blocks.map(({ code }) => code.split('\n')).find(([first]) => first === `--- ${file}`);
  if (lines === undefined) throw new Error(`${page} has no diff of ${file}`);
  const hunks = lines
    .slice(2)
    .join('\n')
    .split(/^@@.*\n/m)
    .filter((hunk) => hunk.trim() !== '');
  return {
    file,
    changed: lines.slice(2).filter((line) => line.startsWith('+')).length,
    apply: (text) => hunks.reduce(applied, text),
  };
}

function applied(text: string, hunk: string): string {
  const side = (sign: string): string =>
    hunk
      .trimEnd()
      .split('\n')
      .filter((line) => line === '' || line.startsWith(' ') || line.startsWith(sign))
      .map((line) => line.slice(1))
      .join('\n');
  const parts = text.split(side('-'));
  if (parts.length !== 2) throw new Error(`these lines are not there once:\n${side('-')}`);
  return parts.join(side('+'));
}
