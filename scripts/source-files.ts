import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Folders that hold what was installed or built, not what was written. */
const generated = new Set(['node_modules', 'dist', 'coverage', '.cache', '.git']);
/** The same, by its path. */
const generatedClient = 'test/types/prisma/client';

/** Whether a file, by its path from the checkout, is written by a tool before it is needed. */
export const isGenerated = (path: string): boolean => path.startsWith(`${generatedClient}/`);

/**
 * Files below a folder, by their path from `root` with `/` between the parts, in alphabetical order.
 *
 * @returns nothing for a folder that does not exist
 */
export function listFiles(root: string, folder: string, wanted: RegExp): string[] {
  return walk(join(root, folder))
    .map((path) => relative(root, path).split(sep).join('/'))
    .filter((path) => wanted.test(path))
    .sort();
}

function walk(folder: string): string[] {
  let entries: ReturnType<typeof readFolder>;
  try {
    entries = readFolder(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return entries.flatMap((entry) => {
    if (entry.isFile()) return [join(folder, entry.name)];
    const path = join(folder, entry.name);
    const isWritten = !generated.has(entry.name) && !path.endsWith(join(...generatedClient.split('/')));
    return entry.isDirectory() && isWritten ? walk(path) : [];
  });
}

const readFolder = (folder: string) => readdirSync(folder, { withFileTypes: true });
