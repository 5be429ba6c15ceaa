import { parseArgs } from 'node:util';
import type { ArgsDef } from 'citty';
import { UsageError } from './usage-error.ts';

/** What was typed: each value of each flag, in order. */
export type FlagValues = Readonly<Record<string, readonly string[]>>;

/**
 * Refuses what nobody reads, and flags without the value that they need: a misspelt one would otherwise be a default, silently.
 *
 * @returns all values of flags that take one, also of those given more than once
 * @throws UsageError
 */
export function checkFlags(rawArgs: readonly string[], args: ArgsDef): FlagValues {
  const options = Object.fromEntries(
    Object.entries(args)
      .filter(([, it]) => it.type !== 'positional')
      .map(([name, it]) => [name, { type: it.type === 'boolean' ? ('boolean' as const) : ('string' as const) }]),
  );
  const places = Object.values(args).filter((it) => it.type === 'positional').length;
  const { tokens } = parseArgs({ args: [...rawArgs], options, strict: false, tokens: true });
  const values: Record<string, string[]> = {};
  let positionals = 0;
  for (const token of tokens) {
    if (token.kind === 'positional' && ++positionals > places) throw tooMany(token.value, places);
    if (token.kind !== 'option') continue;
    const { name, rawName, value, inlineValue } = token;
    const type = options[name]?.type ?? negated(name, options);
    if (type === undefined || !rawName.startsWith('--')) throw unknown(rawName, Object.keys(options));
    if (type === 'boolean' && value !== undefined) throw new UsageError(`${rawName} takes no value.`);
    if (type === 'boolean') continue;
    if (value === undefined || value === '') throw new UsageError(`${rawName} needs a value.`);
    if (!inlineValue && value.startsWith('--'))
      throw new UsageError(`${rawName} needs a value. If ${value} is the value, write ${rawName}=${value}.`);
    (values[name] ??= []).push(value);
  }
  return values;
}

function negated(name: string, options: Readonly<Record<string, { type: string }>>): 'boolean' | undefined {
  return name.startsWith('no-') && options[name.slice(3)]?.type === 'boolean' ? 'boolean' : undefined;
}

function unknown(flag: string, known: readonly string[]): UsageError {
  const list = known.length === 0 ? 'It takes none.' : `Known are ${known.map((it) => `--${it}`).join(', ')}.`;
  return new UsageError(`There is no option ${flag}. ${list}`);
}

function tooMany(value: string, places: number): UsageError {
  const most = places === 0 ? 'It takes no argument' : places === 1 ? 'It takes one argument' : `It takes ${places}`;
  return new UsageError(
    `${JSON.stringify(value)} is one argument too many. ${most}; quote what has spaces or wildcards.`,
  );
}
