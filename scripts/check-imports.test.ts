import { describe, expect, it } from 'vitest';
import { checkImports } from './check-imports.ts';
import { findCircles } from './import-circles.ts';
import { importRows } from './import-rules.ts';

const entryPoints = ['tidemark', 'tidemark/testing', 'tidemark/redis'];

/** A small checkout in which all is in order; each test plants one violation in it. */
const sound: Readonly<Record<string, string>> = {
  'src/index.ts':
    "export { key } from './coherence/target.ts';\nexport { createCache, type Cache } from './cache/cache.ts';",
  'src/coherence/target.ts': "import { createHash } from 'node:crypto';\nexport const key = createHash;",
  'src/coherence/log.ts': "import type { key } from './target.ts';\nexport type Log = typeof key;",
  'src/coherence/log.test.ts':
    "import { it } from 'vitest';\nimport { fake } from '../testing/fake.ts';\nit('', fake);",
  'src/coherence/follower.ts': 'export const follow = 1;',
  'src/cache/store.ts': 'export interface Store { get(): void }',
  'src/cache/cache.ts':
    "import { readFileSync } from 'node:fs';\nimport { LRUCache } from 'lru-cache';\nimport { key } from '../coherence/target.ts';\n" +
    'export const createCache = [readFileSync, LRUCache, key]; export type Cache = 1; export const hidden = 1;',
  'src/events/rules.ts': "import { createCache } from '../cache/cache.ts';\nexport const rules = createCache;",
  'src/redis/index.ts':
    "import type { Store } from '../cache/store.ts';\nexport type { Log } from '../coherence/log.ts';\nexport type Redis = Store;",
  'src/redis/client.ts': 'export const client = 1;',
  'src/testing/index.ts': "export { fake } from './fake.ts';",
  'src/testing/fake.ts': "import type { Log } from '../coherence/log.ts';\nexport const fake = (): Log | void => {};",
  'examples/shop/main.ts':
    "import { createCache } from 'tidemark';\nimport { price } from './price.ts';\ncreateCache.push(price);",
  'examples/shop/price.ts': 'export const price = 1;',
  'benchmarks/hit.bench.ts': "import { fake } from 'tidemark/testing';\nfake();",
  'test/simulation/cli.ts': "import { follow } from '../../src/coherence/follower.ts';\nconsole.log(follow);",
};

function rulesBroken(planted: Readonly<Record<string, string>>): string[] {
  const files = new Map(Object.entries({ ...sound, ...planted }));
  return checkImports({ files, entryPoints }).map(({ file, rule }) => `${file} ${rule}`);
}

it('finds nothing in a checkout that keeps to the table', () => {
  expect(rulesBroken({})).toEqual([]);
});

const builtinsForbiddenBelow = [
  'fs',
  'fs/promises',
  'net',
  'http',
  'https',
  'http2',
  'tls',
  'dgram',
  'dns',
  'child_process',
  'worker_threads',
  'timers',
  'timers/promises',
  'perf_hooks',
];

describe('each rule catches a planted violation', () => {
  const cases: ReadonlyArray<readonly [what: string, file: string, source: string, rule: string]> = [
    ...builtinsForbiddenBelow.map(
      (name) => [`coherence does I/O by ${name}`, 'src/coherence/bad.ts', `import 'node:${name}';`, 'builtin'] as const,
    ),
    ['a built-in without node:', 'src/cache/bad.ts', "import 'fs';", 'node-prefix'],
    ['an upward import', 'src/coherence/bad.ts', "import { hidden } from '../cache/cache.ts';", 'layout'],
    ['an upward type import', 'src/coherence/bad.ts', "import type { Cache } from '../cache/cache.ts';", 'layout'],
    [
      'an upward import() in a type',
      'src/coherence/bad.ts',
      "export type X = import('../cache/cache.ts').Cache;",
      'layout',
    ],
    ['an upward dynamic import', 'src/coherence/bad.ts', "await import('../cache/cache.ts');", 'layout'],
    ['an upward re-export', 'src/cache/bad.ts', "export { rules } from '../events/rules.ts';", 'layout'],
    ['a name that is not public', 'src/events/bad.ts', "import { hidden } from '../cache/cache.ts';", 'layout'],
    [
      'all names of a file with public ones',
      'src/events/bad.ts',
      "import * as all from '../cache/cache.ts';",
      'layout',
    ],
    [
      'an adapter that uses the cache',
      'src/redis/bad.ts',
      "import { createCache } from '../cache/cache.ts';",
      'layout',
    ],
    [
      'an adapter that uses the follower',
      'src/redis/bad.ts',
      "import { follow } from '../coherence/follower.ts';",
      'layout',
    ],
    [
      'an adapter that uses another',
      'src/postgres/bad.ts',
      "import type { Redis } from '../redis/index.ts';",
      'layout',
    ],
    [
      'a subpath not by its door',
      'src/cli/commands/serve.ts',
      "import { client } from '../../redis/client.ts';",
      'layout',
    ],
    ['an import of what is not shipped', 'src/cache/bad.ts', "import '../../test/simulation/cli.ts';", 'layout'],
    ['an import of a test', 'src/coherence/bad.ts', "import './log.test.ts';", 'test-import'],
    ['a driver in an adapter', 'src/redis/bad.ts', "import { Redis } from 'ioredis';", 'package'],
    ['a package in coherence', 'src/coherence/bad.ts', "import { LRUCache } from 'lru-cache';", 'package'],
    ['the package importing itself', 'src/events/bad.ts', "import { key } from 'tidemark';", 'package'],
    ['the test runner outside tests', 'src/testing/bad.ts', "import { it } from 'vitest';", 'package'],
    ['values of a package listed for its types', 'src/express/bad.ts', "import { Router } from 'express';", 'package'],
    ['a computed import', 'src/cache/bad.ts', 'const name = String(1); await import(name);', 'computed-import'],
    ['a path without .ts', 'src/coherence/bad.ts', "import { key } from './target';", 'missing-file'],
    ['an unknown folder', 'src/helpers/bad.ts', 'export const x = 1;', 'unknown-folder'],
    ['an unknown file in src', 'src/bad.ts', 'export const x = 1;', 'unknown-folder'],
    [
      'an example that reaches into src',
      'examples/shop/bad.ts',
      "import { key } from '../../src/index.ts';",
      'user-import',
    ],
    [
      'an example that uses another',
      'examples/blog/bad.ts',
      "import { price } from '../shop/price.ts';",
      'user-import',
    ],
    ['a benchmark that reaches into src', 'benchmarks/bad.ts', "import { key } from '../src/index.ts';", 'user-import'],
    [
      'an entry point that is not exported',
      'benchmarks/bad.ts',
      "import { key } from 'tidemark/coherence';",
      'entry-point',
    ],
    ['a file that does not parse', 'src/cache/bad.ts', 'export const = 1;', 'syntax'],
  ];
  it.each(cases)('%s', (_what, file, source, rule) => {
    expect(rulesBroken({ [file]: source })).toEqual([`${file} ${rule}`]);
  });

  it('a door that exports everything', () => {
    expect(rulesBroken({ 'src/redis/index.ts': "export * from './client.ts';" })).toEqual(['src/redis/index.ts door']);
  });

  it('a circle, of types only, reported once at its first file', () => {
    const planted = {
      'src/coherence/a.ts': "import type { C } from './c.ts';\nexport type A = C;",
      'src/coherence/b.ts': "import { type A } from './a.ts';\nexport type B = A;",
      'src/coherence/c.ts': "export type C = import('./b.ts').B;",
    };
    expect(rulesBroken(planted)).toEqual(['src/coherence/a.ts circle']);
  });

  it('circles through one file, as one', () => {
    const planted = {
      'benchmarks/all.ts': "import './one.ts';\nimport './two.ts';",
      'benchmarks/one.ts': "import './all.ts';",
      'benchmarks/two.ts': "import './all.ts';",
    };
    expect(rulesBroken(planted)).toEqual(['benchmarks/all.ts circle']);
  });

  it('a circle outside src', () => {
    const planted = { 'examples/shop/price.ts': "import './main.ts';\nexport const price = 1;" };
    expect(rulesBroken(planted)).toEqual(['examples/shop/main.ts circle']);
  });
});

it('allows what the table allows', () => {
  const planted = {
    'src/express/good.ts': "import type { Router } from 'express';\nexport type R = Router;",
    'src/events/good.ts':
      "import { key } from '../coherence/target.ts';\nimport { type Cache } from '../cache/cache.ts';\nexport const k = key as unknown as Cache;",
    'src/cli/commands/serve.ts': "import type { Redis } from '../../redis/index.ts';\nexport type R = Redis;",
    'src/coherence/good.test.ts':
      "import { readFileSync } from 'node:fs';\nimport fc from 'fast-check';\nfc.assert(readFileSync);",
    'src/redis/good.ts':
      "import { readFileSync } from 'node:fs';\nimport { client } from './client.ts';\nexport const x = [readFileSync, client];",
  };
  expect(rulesBroken(planted)).toEqual([]);
});

it('names the line of the import', () => {
  const files = new Map([['src/coherence/bad.ts', "// one\n\nimport {\n  a\n} from 'lru-cache';\n"]]);
  expect(checkImports({ files, entryPoints })).toMatchObject([{ line: 3, rule: 'package' }]);
});

it('has a table that itself goes downward', () => {
  const rooms = Object.entries(importRows).filter(([path]) => !path.includes('/'));
  const graph = new Map(rooms.map(([room, row]) => [room, Object.keys(row.rooms ?? {})]));
  expect(findCircles(graph)).toEqual([]);
});
