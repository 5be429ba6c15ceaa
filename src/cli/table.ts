import Table from 'cli-table3';
import { type Paint, paint } from './paint.ts';
import { plain } from './plain.ts';
import { UNKNOWN } from './quantity.ts';

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string | undefined;
  /** As numbers are. */
  readonly right?: boolean;
  /** A colour for people. */
  readonly paint?: (row: Row) => Paint | undefined;
}

/** No lines around, and two spaces between columns: what is piped can be split at two spaces. */
const CHARS = Object.fromEntries(
  ['top', 'bottom', 'left', 'right'].flatMap((side) => ['', '-mid', '-left', '-right'].map((it) => [side + it, ''])),
);

/** Rows in columns, with a head. What others have named cannot move the cursor. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const made = new Table({
    chars: { ...CHARS, mid: '', 'mid-mid': '', middle: '  ' },
    colAligns: columns.map(({ right }) => (right === true ? 'right' : 'left')),
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
  });
  made.push(columns.map(({ head }) => paint('bold', head)));
  for (const row of rows) made.push(columns.map((column) => cellOf(column, row)));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Single spaces at most, since two part columns. */
function cellOf<Row>(column: Column<Row>, row: Row): string {
  const text = plain(column.cell(row) ?? '').replace(/ {2,}/g, ' ');
  const cell = text === '' ? UNKNOWN : text;
  const colour = column.paint?.(row);
  return colour === undefined ? cell : paint(colour, cell);
}

/** Names and values, one pair a line. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${paint('bold', name.padEnd(width))}  ${value}`).join('\n');
}
