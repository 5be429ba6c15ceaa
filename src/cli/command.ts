import { type ArgsDef, type CommandDef, defineCommand, type ParsedArgs } from 'citty';
import { reported } from './command-outcome.ts';
import { checkFlags, type FlagValues } from './flags.ts';

/** What `--help` says of a command besides its flags. */
export interface CommandNotes {
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** Exit codes besides 0, 1 and 2. */
  readonly exits?: Readonly<Record<number, string>>;
}

/** A command whose flags are checked, and whose errors are told in a line or two. */
export interface Command<T extends ArgsDef = ArgsDef> extends CommandDef<T> {
  readonly notes: CommandNotes;
}

interface CommandParts<T extends ArgsDef> extends CommandNotes {
  readonly name: string;
  readonly description: string;
  readonly args: T;
  /** @param values of flags that may be given more than once; @returns the exit code, default 0 */
  readonly run: (args: ParsedArgs<T>, values: FlagValues) => Promise<number | void>;
}

export function command<const T extends ArgsDef>(parts: CommandParts<T>): Command<T> {
  const { name, description, args, run, ...notes } = parts;
  const made = defineCommand({
    meta: { name, description },
    args,
    run: (context) =>
      reported(async () => {
        const code = await run(context.args, checkFlags(context.rawArgs, args));
        if (code !== undefined) process.exitCode = code;
      }),
  });
  return { ...made, notes };
}
