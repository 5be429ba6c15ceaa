import { randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { countResources, processesWith, type ResourceCounts, resourcesLeft } from './leftovers.ts';

// Runs around every test file: what the file opens, starts or writes must be gone when it ends. Each file has a
// temporary folder of its own, and marks the processes that it starts, so that a leftover has one owner.

/** Sockets and processes take a moment to close after they were told to. */
const patience = Number(process.env['TIDEMARK_LEAK_PATIENCE'] ?? 5_000);
/** Caches of tools, kept on purpose: of tsx, and of Node's compiled code. */
const toolCache = /^(tsx-|node-compile-cache$)/;

const usualFolder = process.env['TMPDIR'];
const folder = mkdtempSync(join(tmpdir(), 'f-'));
const mark = randomUUID();
// A server under test may run as another user, who has to be able to pass through.
chmodSync(folder, 0o755);
process.env['TMPDIR'] = folder;
process.env['TIDEMARK_TEST_FILE'] = mark;

let before: ResourceCounts;

beforeAll(() => {
  // Timers are not carried over: those of the runner are unreferenced, or over in 100 ms.
  before = new Map([...countResources(), ['Timeout', 0]]);
});

// Hooks end in reverse order: those of the file itself have run before this one.
afterAll(async () => {
  await nextTurn(); // A server that was told to listen does so only now.
  const end = performance.now() + patience;
  let left = leftovers();
  while (left.length > 0 && performance.now() < end) {
    await wait(20);
    left = leftovers();
  }
  tidyUp();
  if (left.length > 0)
    throw new Error(`This test file leaves behind: ${left.join('; ')}. End it in an afterEach hook.`);
}, patience * 2);

function leftovers(): string[] {
  return [
    ...resourcesLeft(before, countResources()),
    ...processesWith(`TIDEMARK_TEST_FILE=${mark}`).map(({ id, command }) => `process ${id} (${command.slice(0, 100)})`),
    ...readdirSync(folder)
      .filter((name) => !toolCache.test(name))
      .map((name) => `temporary entry ${name}`),
  ];
}

function tidyUp(): void {
  for (const { id } of processesWith(`TIDEMARK_TEST_FILE=${mark}`)) {
    try {
      process.kill(id, 'SIGKILL');
    } catch {
      // It has ended by itself meanwhile.
    }
  }
  rmSync(folder, { recursive: true, force: true });
  if (usualFolder === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = usualFolder;
}
