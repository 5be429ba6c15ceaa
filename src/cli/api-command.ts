import type { ArgsDef, ParsedArgs } from 'citty';
import type { Api } from './api.ts';
import { type Command, type CommandNotes, command } from './command.ts';
import { type ConnectionFlags, connectionArgs, withApi } from './connection.ts';
import type { FlagValues } from './flags.ts';

type WithConnection<T extends ArgsDef> = T & typeof connectionArgs;

/** A command that asks the API, with the flags that say which. */
export type ApiCommand<T extends ArgsDef> = Command<WithConnection<T>>;

interface ApiCommandParts<T extends ArgsDef> extends CommandNotes {
  readonly name: string;
  readonly description: string;
  /** Its own. */
  readonly args: T;
  /** Before anything is asked. @throws UsageError */
  readonly check?: (args: ParsedArgs<WithConnection<T>>, values: FlagValues) => void;
  /** @returns the exit code, default 0 */
  readonly run: (api: Api, args: ParsedArgs<WithConnection<T>>, values: FlagValues) => Promise<number | void>;
}

export function apiCommand<const T extends ArgsDef>({
  args: own,
  check,
  run,
  ...parts
}: ApiCommandParts<T>): ApiCommand<T> {
  return command<WithConnection<T>>({
    ...parts,
    args: { ...own, ...connectionArgs },
    run: (args, values) => {
      check?.(args, values);
      return withApi(args as unknown as ConnectionFlags, (api) => run(api, args, values));
    },
  });
}
