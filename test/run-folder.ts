import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Gives a run of the tests one temporary folder, in which each test file makes its own (`leak-check.ts`), and deletes it
 * at the end: also what a test file left that did not load, or whose process was stopped.
 */
export function setup(): () => void {
  const usual = process.env['TMPDIR'];
  // Short, because the path of a socket in it may not be long.
  const folder = mkdtempSync(join(tmpdir(), 'tide-'));
  // A server under test may run as another user, who has to be able to pass through.
  chmodSync(folder, 0o755);
  process.env['TMPDIR'] = folder;
  return () => {
    rmSync(folder, { recursive: true, force: true });
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
  };
}
