import { key } from '../../src/index.ts';
import { capture, type CaptureTable } from '../../src/postgres/index.ts';
import { TABLES } from './row.ts';

const table = (letter: string, column: string): CaptureTable => ({
  columns: [column],
  targets: (row) => key(['row', `${letter}${Number(row[column])}`]),
});

/** What the relay captures. */
export const banking = capture({
  tables: Object.fromEntries(Object.entries(TABLES).map(([letter, it]) => [it.table, table(letter, it.key)])),
});
