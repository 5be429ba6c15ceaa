import { expect, it } from 'vitest';
import { checkForm } from './form.ts';
import { parsePage } from './page.ts';
import { root } from './workshop.ts';

const check = (...lines: string[]): string[] =>
  checkForm(parsePage('test/docs/page.md', lines.join('\n')), ['test', 'build', 'check:package'], root);

it('accepts a page that is in order', () => {
  const links = '[a](page.ts) [b](../leak-check.ts) [c](https://example.org/x) [d](#two-words-really) [e](../docs/)';
  const blocks = [
    '```ts',
    'const a = 1;',
    '```',
    '```sh run',
    'npm ci && npm test',
    'npm run -s check:package -- --x',
    '```',
  ];
  expect(check('# Two words, really!', links, ...blocks)).toEqual([]);
});

it.each([
  ['a language that no test reads', ['```typescript', 'x', '```'], 'page.md:2: "typescript" is no language'],
  ['no language', ['```', 'x', '```'], '"" is no language'],
  ['an unknown word', ['```ts skip', 'x', '```'], 'a ts block cannot be "skip"'],
  ['a fragment that does not parse', ['```ts fragment', 'const = 1', '```'], 'page.md:2: Unexpected token'],
  ['a script that does not exist', ['```sh', 'npm run biuld', '```'], 'page.md:2: package.json has no script "biuld"'],
  ['a short form of one', ['```sh', 'npm ci && npm start', '```'], 'no script "start"'],
  ['a dead link', ['text', '[a](nothing.md)'], 'page.md:2: nothing.md leads nowhere'],
  ['a dead reference', ['[a]: ./nothing.md'], './nothing.md leads nowhere'],
  ['a dead anchor', ['# One', '[a](#two)'], '#two leads nowhere'],
  ['a dead anchor of another page', ['[a](../../README.md#no-such)'], 'README.md#no-such leads nowhere'],
])('reports %s', (_what, lines, problem) => {
  expect(check(...lines)).toEqual([expect.stringContaining(problem)]);
});
