import { type CommandDef, runCommand, type SubCommandsDef } from 'citty';
import { reported } from './command-outcome.ts';
import { type Resolvable, resolved } from './resolvable.ts';
import { usage } from './usage.ts';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

const HELP = new Set(['--help', '-h']);

/** Finds the command that is meant, and runs it, or prints its help. */
export async function dispatch(root: CommandDef, rawArgs: readonly string[]): Promise<void> {
  await reported(async () => {
    const { command, path, rest } = await found(root, rawArgs);
    const [first] = rest;
    if (wantsHelp(rest)) return print(await usage(path, command));
    if (command === root && (first === '--version' || first === '-v')) return print(version());
    if (command.subCommands === undefined) return run(command, path, rest);
    if (first !== undefined) throw unknown(path, first, command.subCommands as SubCommandsDef);
    print(await usage(path, command));
    process.exitCode = 2;
  });
}

interface Found {
  readonly command: CommandDef;
  /** As it is typed. */
  readonly path: string;
  readonly rest: readonly string[];
}

async function found(command: CommandDef, rest: readonly string[], path = 'tidemark'): Promise<Found> {
  const [name = ''] = rest;
  const below = Object.entries((command.subCommands ?? {}) as SubCommandsDef).find(([it]) => it === name)?.[1];
  if (below === undefined) return { command, path, rest };
  return found(await resolved(below as Resolvable<CommandDef>), rest.slice(1), `${path} ${name}`);
}

/** Not what stands after `--`. */
function wantsHelp(rest: readonly string[]): boolean {
  const end = rest.indexOf('--');
  return (end === -1 ? rest : rest.slice(0, end)).some((it) => HELP.has(it));
}

async function run(command: CommandDef, path: string, rest: readonly string[]): Promise<void> {
  try {
    await runCommand(command, { rawArgs: [...rest] });
  } catch (error) {
    if ((error as { code?: string }).code !== 'EARG') throw error;
    throw new UsageError(`${(error as Error).message}. See "${path} --help".`, { cause: error });
  }
}

function unknown(path: string, name: string, known: SubCommandsDef): UsageError {
  const what = name.startsWith('-') ? 'option' : 'command';
  return new UsageError(
    `There is no ${what} ${JSON.stringify(name)}. Known are ${Object.keys(known).join(', ')}; see "${path} --help".`,
  );
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
