import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isStartedByName, root } from './start.ts';

// Prisma's client for the tests is code that Prisma writes from a schema. It is written once, beside the schema, before the tests
// and the compiler run, and again when the schema or Prisma has changed.

const folder = join(root, 'test/types/prisma');

/** Before all tests; see vitest.config.ts. */
export function setup(): void {
  generateClient();
}

function generateClient(): void {
  const require = createRequire(import.meta.url);
  const prisma = require.resolve('prisma/package.json');
  const schema = readFileSync(join(folder, 'schema.prisma'), 'utf8');
  const stamp = createHash('sha256').update(readFileSync(prisma)).update(schema).digest('hex');
  if (stampOf(join(folder, 'client')) === stamp) return;
  // In a folder of this run's own, which takes the place of the old one when it is complete: others may do the same.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const work = mkdtempSync(join(root, '.cache/prisma-'));
  try {
    writeFileSync(join(work, 'schema.prisma'), schema);
    execFileSync(process.execPath, [join(dirname(prisma), 'build/index.js'), 'generate'], {
      cwd: work,
      // Nothing is done with the engine, but it would be downloaded unless there is a file in its place.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    writeFileSync(join(work, 'client/stamp'), stamp);
    replace(join(work, 'client'), join(folder, 'client'), join(work, 'old'), stamp);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function stampOf(client: string): string | undefined {
  try {
    return readFileSync(join(client, 'stamp'), 'utf8');
  } catch {
    return undefined;
  }
}

function replace(from: string, to: string, old: string, stamp: string): void {
  try {
    renameSync(to, old);
  } catch {
    // There was none.
  }
  try {
    renameSync(from, to);
  } catch (error) {
    // Another was faster.
    if (stampOf(to) !== stamp) throw error;
  }
}

if (isStartedByName(import.meta.url)) generateClient();
