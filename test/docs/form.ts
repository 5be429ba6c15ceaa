import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { type Block, type Page, parsePage } from './page.ts';
import { syntaxErrors } from './program.ts';

const languages: Readonly<Record<string, readonly string[]>> = {
  ts: ['fragment', 'alone'],
  sh: ['run'],
  ...Object.fromEntries(
    ['console', 'css', 'diff', 'html', 'http', 'json', 'jsonc', 'lua', 'mermaid', 'sql', 'text', 'yaml'].map((each) => [
      each,
      [],
    ]),
  ),
};

/**
 * What is wrong with a page apart from its programs: blocks that no test would look at, commands that do not exist, and
 * links that lead nowhere.
 *
 * @param scripts names of the scripts in package.json
 * @param root folder that the page's path and links to the root start from
 */
export function checkForm(page: Page, scripts: readonly string[], root: string): string[] {
  return [
    ...page.blocks.flatMap((block) =>
      checkBlock(block, scripts).map((problem) => `${page.path}:${block.line}: ${problem}`),
    ),
    ...page.prose.flatMap((text, index) =>
      deadLinks(page, text, root).map((link) => `${page.path}:${index + 1}: ${link} leads nowhere`),
    ),
  ];
}

function checkBlock({ language, words, code }: Block, scripts: readonly string[]): string[] {
  const known = languages[language];
  if (!known) return [`"${language}" is no language of a block here; known are ${Object.keys(languages).join(', ')}`];
  return [
    ...words.filter((word) => !known.includes(word)).map((word) => `a ${language} block cannot be "${word}"`),
    ...(language === 'ts' ? syntaxErrors(code) : []),
    ...(language === 'sh' ? missingScripts(code, scripts) : []),
  ];
}

/** `npm run X`, and the commands that are short for it, for which package.json has no script. */
function missingScripts(code: string, scripts: readonly string[]): string[] {
  const named = [...code.matchAll(/\bnpm (?:(?:run|run-script)(?: -s| --silent)? ([\w:-]+)|(test|start)\b)/g)];
  const names = named.map(([, run, short]) => run ?? short ?? '');
  return names.filter((name) => !scripts.includes(name)).map((name) => `package.json has no script "${name}"`);
}

function deadLinks(page: Page, text: string, root: string): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)/g)];
  const targets = links.map(([, inline, reference]) => inline ?? reference ?? '');
  return targets.filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(page, target, root));
}

function leadsSomewhere(page: Page, target: string, root: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = posix.join(root, path === '' ? page.path : posix.join(posix.dirname(page.path), path));
  if (path === '') return anchorsOf(page).includes(anchor ?? '');
  if (!existsSync(file)) return false;
  return (
    anchor === undefined ||
    !path.endsWith('.md') ||
    anchorsOf(parsePage(path, readFileSync(file, 'utf8'))).includes(anchor)
  );
}

/** The anchors that a host of Markdown makes of headings: lower case, without signs, with `-` for spaces. */
function anchorsOf(page: Page): string[] {
  const headings = page.prose.filter((text) => /^#+ /.test(text)).map((text) => text.replace(/^#+ /, ''));
  return headings.map((text) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}
