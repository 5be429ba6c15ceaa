import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `tidemark` with arguments, as a process of its own. */
export interface CommandLine {
  readonly child: ChildProcess;
  /** What it has printed by now. */
  out(): string;
  err(): string;
  /** Its exit code, once it has ended. */
  readonly code: Promise<unknown>;
}

export interface CommandLineOptions {
  readonly cwd?: string;
  /** Beside those of this process, without those that would name a server. */
  readonly env?: Readonly<Record<string, string>>;
}

export function commandLine(args: readonly string[], { cwd, env }: CommandLineOptions = {}): CommandLine {
  const tsx = join(root, 'node_modules/tsx/dist/esm/index.mjs');
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(DATABASE_URL|TIDEMARK_(URL|TOKEN|REDIS|NAME))$/.test(name),
  );
  const child = spawn(process.execPath, ['--import', tsx, join(root, 'src/cli/main.ts'), ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (err += data.toString()));
  const code = once(child, 'close').then(([it]: unknown[]) => it);
  return { child, out: () => out, err: () => err, code };
}

/** {@link commandLine}, once it has ended. */
export async function ranCommandLine(
  args: readonly string[],
  options: CommandLineOptions = {},
): Promise<{ readonly code: unknown; readonly out: string; readonly err: string }> {
  const run = commandLine(args, options);
  return { code: await run.code, out: run.out(), err: run.err() };
}
