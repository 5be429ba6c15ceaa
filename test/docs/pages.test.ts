import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { listFiles } from '../../scripts/source-files.ts';
import { checkForm } from './form.ts';
import { type Page, parsePage } from './page.ts';
import { type Program, programsOf, syntaxErrors } from './program.ts';
import { root, Workshop } from './workshop.ts';

/** Pages that have to exist. */
const required: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'docs/tour.md',
  'docs/glossary.md',
  'docs/failure.md',
  'docs/decisions.md',
  'docs/features.md',
  'docs/redis.md',
  'docs/messages.md',
  'docs/buses.md',
  'docs/protocol.md',
  'benchmarks/README.md',
];

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const paths = [
  ...listFiles(root, '', /^[^/]+\.md$/),
  ...['docs', 'examples', 'benchmarks'].flatMap((folder) => listFiles(root, folder, /\.md$/)),
];
const pages = paths.map((path) => parsePage(path, readFileSync(join(root, path), 'utf8')));
const read = pages.map((page) => ({ page, path: page.path, ...tryPrograms(page) }));

const workshop = new Workshop();
afterAll(() => workshop.close());

it.each(required)('%s exists', (path) => {
  expect(paths).toContain(path);
});

it('every program compiles', () => {
  expect(workshop.compile(read.flatMap(({ programs }) => programs))).toEqual([]);
}, 60_000);

describe.each(read)('$path', ({ page, programs, problem }) => {
  it('has blocks that are known, scripts that exist, and links that lead somewhere', () => {
    expect([...(problem ? [problem] : []), ...checkForm(page, Object.keys(scripts), root)]).toEqual([]);
  });

  for (const program of programs) {
    it(`${program.name} does what the page says (${program.expectations.length} expectations)`, async () => {
      expect(await workshop.run(program)).toBeUndefined();
    }, 60_000);
  }

  // Listed and counted, so that it shows how much of a page is not executed.
  for (const { line, code } of page.blocks.filter(({ words }) => words.includes('fragment'))) {
    it(`line ${line} is a fragment: it parses, and is not run`, () => {
      expect(syntaxErrors(code)).toEqual([]);
    });
  }
});

/** A page that makes no program must fail by itself, not take the others with it. */
function tryPrograms(page: Page): { readonly programs: readonly Program[]; readonly problem?: string } {
  try {
    return { programs: programsOf(page) };
  } catch (error) {
    return { programs: [], problem: (error as Error).message };
  }
}
