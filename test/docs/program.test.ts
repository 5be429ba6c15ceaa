import { afterAll, describe, expect, it } from 'vitest';
import { parsePage } from './page.ts';
import { type Program, programsOf } from './program.ts';
import { Workshop } from './workshop.ts';

const workshop = new Workshop();
afterAll(() => workshop.close());

/** A page with one `ts` block for each argument; the code of the first begins on line 4. */
function page(...blocks: string[]): string {
  return ['# A page', '', ...blocks.flatMap((code) => ['```ts', code, '```', 'Some prose.'])].join('\n');
}

const programs = (markdown: string, path = 'docs/page.md'): Program[] => programsOf(parsePage(path, markdown));

let pages = 0;

/** Runs a page in this process, which is faster; resolves to the message of the error, if any. */
async function evaluate(markdown: string): Promise<string | undefined> {
  pages += 1;
  try {
    for (const program of programs(markdown, `docs/${pages}.md`)) await import(workshop.write(program));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function run(markdown: string, patience?: number): Promise<string | undefined> {
  const results = await Promise.all(programs(markdown).map((program) => workshop.run(program, patience)));
  return results.find((result) => result !== undefined);
}

describe('a page that is right', () => {
  it.each([
    ['JSON', '({ a: [1, "x"] }); // => { "a": [1, "x"] }'],
    ['as Node prints it', "new Map([['a', 1]]); // => Map(1) { 'a' => 1 }"],
    ['a declaration', 'const a: number = 1 + 1; // => 2\na; // => 2'],
    ['what is logged', "console.log('x'.repeat(2)); // => 'xx'"],
    ['awaited', 'await Promise.resolve(1n); // => 1n'],
    ['on the line below', "['a'].concat(\n  'b',\n);\n// => ['a', 'b']"],
    ['over several lines', '({ a: 1, b: 2 });\n// => {\n//   a: 1,\n//   b: 2,\n// }'],
    ['in part', "({ from: 'memory', age: 17, list: [1, 2] }); // => { from: 'memory', list: [1, ...], ... }"],
    ['a class instance', 'class Point { x = 1; }\nnew Point(); // => { x: 1 }'],
    ['undefined', 'void 0; // => undefined'],
    ['a thrown error by its message', "JSON.parse('{'); // throws JSON"],
    ['a rejection by its code', "await Promise.reject(Object.assign(new Error('x'), { code: 'E_X' })); // throws E_X"],
    ['inside a function that runs', 'function f(): void {\n  1 + 1; // => 2\n}\nf();'],
    ['types', 'interface A { b: number }\nconst a: A = { b: 1 };\na.b satisfies number; // => 1'],
  ])('%s', async (_what, code) => {
    expect(await evaluate(page(code))).toBeUndefined();
  });

  it('goes on from block to block, hidden ones included, and leaves out fragments', async () => {
    const hidden = '<!-- ts\nconst start: number = 1;\n-->';
    const fragment = '```ts fragment\nthis would, not run\n```';
    const markdown = [hidden, page('const next = start + 1;'), fragment, page('next; // => 2')].join('\n');
    expect(await run(markdown)).toBeUndefined();
  });

  it('keeps a block that stands alone to itself', async () => {
    const alone = '```ts alone\nconst a = 2;\na; // => 2\n```';
    expect(programs(`${page('const a = 1;\na; // => 1')}\n${alone}`).map(({ name }) => name)).toEqual([
      'docs-page',
      'docs-page-9',
    ]);
    expect(await run(`${page('const a = 1;\na; // => 1')}\n${alone}`)).toBeUndefined();
  });
});

describe('a page that is wrong', () => {
  it.each([
    ['another value', '1 + 1; // => 3', ':4: the page says 3, but it is 2'],
    ['in a later block', '', ':8: the page says 3, but it is 2', '1 + 1; // => 3'],
    ['another type', "'2'; // => 2", 'the page says 2'],
    ['one property more', '({ a: 1, b: 2 }); // => { a: 1 }', 'but it is { a: 1, b: 2 }'],
    ['one property less', '({ a: 1 }); // => { a: 1, b: 2, ... }', 'but it is { a: 1 }'],
    ['one item more', '[1, 2]; // => [1]', 'but it is [ 1, 2 ]'],
    ['one item less', '[1]; // => [1, 2, ...]', 'but it is [ 1 ]'],
    ['undefined for a missing property', '({}); // => { a: undefined }', 'but it is {}'],
    ['a promise that is not awaited', 'Promise.resolve(1); // => 1', 'but it is Promise'],
    ['prose for a value', '1 + 1; // => two', 'two is not defined'],
    ['prose of several words', '1 + 1; // => it is two', 'the page says it is two, but it is 2'],
    ['another print', 'new Set([1]); // => Set(1) { 2 }', 'but it is Set(1) { 1 }'],
    ['no error', '1 + 1; // throws E_X', 'the page says that this throws E_X, but it does not'],
    ['no rejection', 'await Promise.resolve(1); // throws E_X', 'but it does not'],
    ['another error', "JSON.parse('{'); // throws E_X", 'but it throws SyntaxError'],
  ])('%s', async (_what, code, message, ...more) => {
    expect(await evaluate(page(code, ...more))).toContain(message);
  });

  it.each([
    ['a value', '1 + 1; // => 3', 'docs/page.md:4: the page says 3, but it is 2'],
    ['an error of the program', "throw new Error('broken');", 'broken'],
    [
      'an expectation never reached',
      'if (Date.now() < 0) {\n  1; // => 1\n}',
      'never reaches the expectations of line 5',
    ],
    ['an await that never ends', 'await new Promise(() => {});', 'fails with exit code 13'],
  ])('in a process of its own: %s', async (_what, code, message) => {
    expect(await run(page(code))).toContain(message);
  });

  it('a program that keeps running', async () => {
    expect(await run(page('setInterval(() => {}, 1_000);'), 1_500)).toContain('does not end within 1500 ms');
  });

  it.each([
    ['does not parse', 'const = 1;', /^docs\/page\.md:4: /],
    ['expects something of nothing', '// => 1', /^docs\/page\.md:4: this expectation does not follow/],
    ['expects something of two declarations', 'const a = 1, b = 2; // => 1', /does not follow/],
  ])('%s', (_what, code, message) => {
    expect(() => programs(page(code))).toThrow(message);
  });

  it('does not compile: the error names the line of the page', () => {
    const wrong = programs(page('const a: string = 1;', "const b: number = 'x';"));
    expect(workshop.compile(wrong)).toEqual([
      expect.stringMatching(/^docs\/page\.md:4: error TS2322/),
      expect.stringMatching(/^docs\/page\.md:8: error TS2322/),
    ]);
    expect(workshop.compile(programs(page('const a: number = 1;\na;')))).toEqual([]);
  });
});

describe('parsing a page', () => {
  it('finds blocks with their words and lines, also in lists and with longer fences', () => {
    const markdown = [
      '- item',
      '  ```ts alone',
      '  a',
      '    b',
      '  ```',
      '````text',
      '```',
      '````',
      '~~~sh run',
      'ls',
      '~~~',
    ];
    expect(parsePage('a.md', markdown.join('\n')).blocks).toEqual([
      { language: 'ts', words: ['alone'], code: 'a\n  b', line: 3 },
      { language: 'text', words: [], code: '```', line: 7 },
      { language: 'sh', words: ['run'], code: 'ls', line: 10 },
    ]);
  });

  it('keeps prose at its lines', () => {
    expect(parsePage('a.md', 'one\n```\nx\n```\ntwo').prose).toEqual(['one', '', '', '', 'two']);
  });

  it('refuses a block that is not closed', () => {
    expect(() => parsePage('a.md', 'one\n```ts\nx')).toThrow('a.md:2: this block is not closed.');
  });
});
