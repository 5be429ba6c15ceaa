import { describe, expect, it } from 'vitest';
import { checkGlue, checkLockfile, checkSources } from './check-habits.ts';
import { describeFinding } from './finding.ts';

function rulesBroken(file: string, source = ''): string[] {
  return checkSources(new Map([[file, source]])).map(({ rule, line }) => (line ? `${rule}:${line}` : rule));
}

// Put together here so that this file does not contain what it plants.
const disable = ['// oxlint', 'disable-next-line no-console'].join('-');
const expectError = ['// @ts', 'expect-error'].join('-');

describe('file names', () => {
  it.each(['src/cache/types.ts', 'src/utils.ts', 'src/common/entry.ts', 'test/helpers.ts', 'src/lib/entry.ts'])(
    'refuses %s',
    (file) => expect(rulesBroken(file)).toEqual(['file-name']),
  );

  it.each(['src/cache/entry.ts', 'test/types/query.test-d.ts', 'src/cache/entry-types.ts', 'src/library.ts'])(
    'accepts %s',
    (file) => expect(rulesBroken(file)).toEqual([]),
  );
});

describe('suppressions', () => {
  it.each([disable, `${disable} -- no`, expectError])('refuses %s', (comment) => {
    expect(rulesBroken('src/cache/entry.ts', `\n${comment}\n`)).toEqual(['suppression:2']);
  });

  it.each([`${disable} -- the command line prints`, `${expectError}: a wrong name must not compile`])(
    'accepts %s',
    (comment) => expect(rulesBroken('src/cache/entry.ts', comment)).toEqual([]),
  );
});

describe('glue for a framework', () => {
  const lines = (count: number, between = ''): string => `/** Says\n * why. */\n${`glue();\n${between}`.repeat(count)}`;

  it('has fewer than sixty lines in all its files, without comments, blank lines and tests', () => {
    const files = new Map([
      ['src/nestjs/module.ts', lines(30, '\n  // why\n')],
      ['src/nestjs/index.ts', lines(29)],
      ['src/nestjs/module.test.ts', lines(500)],
      ['src/decorators/cached.ts', lines(500)],
    ]);
    expect(checkGlue(files)).toEqual([]);
    expect(checkGlue(files.set('src/nestjs/logger.ts', 'glue();'))).toMatchObject([
      { file: 'src/nestjs/', rule: 'glue', problem: expect.stringContaining('60 lines') },
    ]);
  });
});

describe('the lockfile', () => {
  it('may link workspaces, but not name addresses', () => {
    const lockfile = [
      '"resolved": "benchmarks",',
      '"resolved": "https://registry.example/a.tgz",',
      '"url": "https://a.example"',
    ];
    expect(checkLockfile(lockfile.join('\n'))).toMatchObject([{ line: 2, rule: 'lockfile' }]);
  });
});

it('describes a finding on one line: place, rule, problem, cure', () => {
  const finding = { file: 'a.ts', line: 3, rule: 'layout', problem: 'imports b', cure: 'move it' };
  expect(describeFinding(finding)).toBe('a.ts:3 [layout] imports b. Cure: move it.');
});
