import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Bodies of tests that pass, and what each leaves behind. */
const planted: Readonly<Record<string, { readonly code: string; readonly left: RegExp | undefined }>> = {
  timer: { code: 'setInterval(() => {}, 1_000);', left: /1 Timeout/ },
  server: { code: "(await import('node:net')).createServer().listen(0, '127.0.0.1');", left: /1 TCPServerWrap/ },
  watcher: { code: "(await import('node:fs')).watch('.');", left: /1 FSEventWrap/ },
  child: { code: "(await import('node:child_process')).spawn('sleep', ['60']);", left: /1 ProcessWrap/ },
  orphan: {
    code: "(await import('node:child_process')).execFileSync('sh', ['-c', 'sleep 60 &'], { stdio: 'ignore' });",
    left: /process \d+ \(sleep 60\)/,
  },
  folder: {
    code: "(await import('node:fs')).mkdtempSync(`${(await import('node:os')).tmpdir()}/left-`);",
    left: /temporary entry left-/,
  },
  tidy: {
    code: 'const timer = setInterval(() => {}, 1_000); onTestFinished(() => clearInterval(timer));',
    left: undefined,
  },
};

interface Report {
  readonly testResults: ReadonlyArray<{ readonly name: string; readonly status: string; readonly message: string }>;
}

let folder: string;
let report: Report;

beforeAll(() => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache', 'leaks-'));
  for (const [name, { code }] of Object.entries(planted)) {
    const source = `import { it, onTestFinished } from 'vitest';\nit('passes', async () => {\n${code}\nvoid onTestFinished;\n});\n`;
    writeFileSync(join(folder, `${name}.test.ts`), source);
  }
  const setup = join(root, 'test/leak-check.ts');
  const config = {
    root: folder,
    test: { setupFiles: [setup], reporters: ['json'], outputFile: join(folder, 'report.json') },
  };
  writeFileSync(join(folder, 'vitest.config.ts'), `export default ${JSON.stringify(config)};`);
  const env = { ...process.env, TIDEMARK_LEAK_PATIENCE: '200' };
  spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder], { env });
  report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Report;
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true }));

it.each(Object.entries(planted))('%s', (name, { left }) => {
  const result = report.testResults.find((each) => each.name.endsWith(`${name}.test.ts`));
  expect(result?.status).toBe(left ? 'failed' : 'passed');
  expect(result?.message).toMatch(left ?? /^$/);
});
