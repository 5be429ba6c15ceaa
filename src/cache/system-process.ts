import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { pid } from 'node:process';

/** Which process this is, for people. */
export interface ProcessName {
  readonly host: string;
  readonly pid: number;
  /** Of this package; empty where it is not known, as in a bundle. */
  readonly version: string;
}

/** What the system says of this process. Reads the package's own version from its file. */
export function systemProcess(): ProcessName {
  return { host: hostname(), pid, version: packageVersion() };
}

function packageVersion(): string {
  try {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown };
    return name === 'tidemark' && typeof version === 'string' ? version : '';
  } catch {
    return '';
  }
}
