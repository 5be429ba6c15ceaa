import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { commandOnPath, libraries, unpackedPackages } from './debian-package.ts';

const needed = 'The tests need promtool. Install it (Debian: apt install prometheus).';

/** What `promtool` says, and whether it was content. */
export interface PromtoolAnswer {
  readonly ok: boolean;
  readonly output: string;
}

/**
 * Runs Prometheus' own checker: what this machine has, else Debian's package.
 *
 * @param args such as `['check', 'metrics']`
 * @param input what it reads from its standard input
 */
export function promtool(args: readonly string[], input = ''): PromtoolAnswer {
  const { command, env } = prometheusProgram('promtool');
  const { status, stdout, stderr, error } = spawnSync(command, [...args], { input, env, encoding: 'utf8' });
  if (error !== undefined) throw new Error(needed, { cause: error });
  return { ok: status === 0, output: `${stdout}${stderr}` };
}

/** One of the programs of Prometheus, and what it has to be started with. */
export function prometheusProgram(name: 'prometheus' | 'promtool'): {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
} {
  const command = commandOnPath(name);
  if (command !== undefined) return { command, env: process.env };
  const root = unpackedPackages('prometheus', ['prometheus'], needed);
  return { command: join(root, 'usr/bin', name), env: { ...process.env, LD_LIBRARY_PATH: libraries(root) } };
}
