import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createJiti } from 'jiti';
import type { ConfigMaker, TidemarkConfig } from './config.ts';
import { UsageError } from './usage-error.ts';

/** The files that are looked for where none is named. */
const NAMES = ['ts', 'mts', 'js', 'mjs'].map((ending) => `tidemark.config.${ending}`);

const PARTS = ['relay', 'serve'];

/** @returns the file that is named, or that is there; `undefined` where none is */
export function configFile(named: string | undefined): string | undefined {
  const file = named ?? NAMES.find((name) => existsSync(resolve(name)));
  if (named !== undefined && !existsSync(resolve(named)))
    throw new UsageError(`There is no file ${named}. Give its path from ${process.cwd()} by --config.`);
  return file === undefined ? undefined : resolve(file);
}

/**
 * What a configuration file exports. TypeScript is understood on every Node.
 *
 * @throws UsageError where it cannot be read, or is none
 */
export async function loadConfig(file: string): Promise<TidemarkConfig> {
  let exported: unknown;
  try {
    exported = await createJiti(import.meta.url, { fsCache: false }).import(file, { default: true });
    if (typeof exported === 'function') exported = await (exported as Extract<ConfigMaker, () => unknown>)();
  } catch (cause) {
    throw new UsageError(`${file} cannot be loaded: ${(cause as Error).message}`, { cause });
  }
  if (typeof exported !== 'object' || exported === null)
    throw new UsageError(`${file} exports no configuration. Write: export default defineConfig({ relay: { ... } }).`);
  const unknown = Object.keys(exported).filter((name) => !PARTS.includes(name));
  if (unknown.length > 0)
    throw new UsageError(
      `${file}: there is no part ${unknown.map((it) => JSON.stringify(it)).join(', ')}. Known are ${PARTS.join(', ')}.`,
    );
  return exported;
}
