import { expect, it } from 'vitest';
import { checkFlags } from './flags.ts';

const args = {
  key: { type: 'positional' },
  tag: { type: 'string' },
  json: { type: 'boolean' },
} as const;

it('returns every value, in order', () => {
  expect(checkFlags(['--tag', 'a', 'user:42', '--json', '--tag=b', '--no-json'], args)).toEqual({ tag: ['a', 'b'] });
  expect(checkFlags(['--tag=--a', '--', '--json'], args)).toEqual({ tag: ['--a'] });
});

it.each([
  ['a flag that nobody reads', ['--tga', 'a'], 'There is no option --tga. Known are --tag, --json.'],
  ['a short one', ['-t', 'a'], 'There is no option -t. Known are --tag, --json.'],
  ['the contrary of what has a value', ['--no-tag'], 'There is no option --no-tag.'],
  ['no value', ['--tag'], '--tag needs a value.'],
  ['an empty value', ['--tag='], '--tag needs a value.'],
  ['a flag for a value', ['--tag', '--json'], '--tag needs a value. If --json is the value, write --tag=--json.'],
  ['a value too many', ['--json=yes'], '--json takes no value.'],
  ['an argument too many', ['a', 'b c'], '"b c" is one argument too many. It takes one argument; quote'],
])('refuses %s', (_what, rawArgs, message) => {
  expect(() => checkFlags(rawArgs, args)).toThrow(message);
});

it('says where there are none', () => {
  expect(() => checkFlags(['--x'], {})).toThrow('There is no option --x. It takes none.');
  expect(() => checkFlags(['x'], {})).toThrow('"x" is one argument too many. It takes no argument;');
});
