import type { ArgDef, CommandDef } from 'citty';
import type { Command } from './command.ts';
import { paint } from './paint.ts';
import { resolved } from './resolvable.ts';

type Row = readonly [left: string, right: string];

/** Every command's, besides its own. */
const EXITS = { 0: 'done, and fine', 1: 'it did not work', 2: 'the command line or a configuration has to be mended' };

/**
 * What `--help` prints.
 *
 * @param path the command as it is typed, such as `tidemark postgres migrate`
 */
export async function usage(path: string, command: CommandDef): Promise<string> {
  const { description = '' } = (await resolved(command.meta)) ?? {};
  const args = Object.entries((await resolved(command.args)) ?? {});
  const notes = (command as Partial<Command>).notes;
  const commands = await subCommands(command);
  const sections = [
    section('Usage', [[[path, ...places(args), ...rest(commands, args)].join(' '), '']]),
    section('Commands', commands),
    section('Arguments', args.filter(([, it]) => it.type === 'positional').map(argument)),
    section('Options', args.filter(([, it]) => it.type !== 'positional').map(flag)),
    notes === undefined || commands.length > 0
      ? ''
      : section(
          'Exit codes',
          Object.entries({ ...EXITS, ...notes.exits }).map(([code, means]): Row => [code, means]),
        ),
    notes === undefined ? '' : examples(notes.examples),
  ];
  return [`${description}.`, ...sections.filter((it) => it !== '')].join('\n\n');
}

function section(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd());
  return [paint('bold', title), ...lines].join('\n');
}

function examples(list: readonly Row[]): string {
  const lines = list.flatMap(([line, does]) => [`  ${paint('cyan', line)}`, `      ${does}`]);
  return [paint('bold', 'Examples'), ...lines].join('\n');
}

function places(args: readonly (readonly [string, ArgDef])[]): string[] {
  return args
    .filter(([, it]) => it.type === 'positional')
    .map(([name, it]) => (it.required === false ? `[${name}]` : `<${name}>`));
}

function rest(commands: readonly Row[], args: readonly (readonly [string, ArgDef])[]): string[] {
  if (commands.length > 0) return ['<command>', '[options]'];
  return args.some(([, it]) => it.type !== 'positional') ? ['[options]'] : [];
}

const argument = ([name, it]: readonly [string, ArgDef]): Row => [name, it.description ?? ''];

function flag([name, it]: readonly [string, ArgDef]): Row {
  const value = it.type === 'boolean' ? '' : ` <${it.valueHint ?? 'value'}>`;
  const standard = it.default === undefined || it.default === false ? '' : `; default ${it.default}`;
  return [`--${name}${value}`, `${it.description ?? ''}${standard}`];
}

async function subCommands(command: CommandDef): Promise<Row[]> {
  const all = Object.entries((await resolved(command.subCommands)) ?? {});
  return Promise.all(
    all.map(async ([name, it]) => {
      const meta = await resolved((await resolved(it as CommandDef))?.meta);
      return [name, meta?.description ?? ''] as const;
    }),
  );
}
