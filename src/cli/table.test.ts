import { expect, it } from 'vitest';
import { pairs, table } from './table.ts';

interface Row {
  readonly name: string | undefined;
  readonly size: number;
}

const columns = [
  { head: 'NAME', cell: ({ name }: Row) => name },
  { head: 'SIZE', cell: ({ size }: Row) => String(size), right: true },
];

it('puts rows below their heads, with two spaces at least between columns', () => {
  const rows = [
    { name: 'user', size: 7 },
    { name: 'a  long   one', size: 12_345 },
    { name: undefined, size: 1 },
  ];
  expect(table(columns, rows).split('\n')).toEqual([
    'NAME         SIZE',
    'user            7',
    'a long one  12345',
    '-               1',
  ]);
});

it('writes out what would move the cursor of a terminal, or begin another line', () => {
  expect(table(columns, [{ name: '\u001b[2Jx\ny\u202ez', size: 1 }])).toContain('\\u001b[2Jx\\u000ay\\u202ez');
});

it('says pairs one below the other', () => {
  expect(
    pairs([
      ['a', '1'],
      ['long', '2'],
    ]),
  ).toBe('a     1\nlong  2');
});
