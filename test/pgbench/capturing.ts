import { key } from '../../src/index.ts';
import { type CaptureMaker, capture, type CaptureTable } from '../../src/postgres/index.ts';
import { type RowName, TABLES } from './row.ts';

/** What the relay says of changes; a run in which it forgets those of tellers shows that this is seen. */
export type Mapping = 'whole' | 'without tellers';

/** The key of a row. */
export const keyOf = (name: RowName): [string, RowName] => ['row', name];

/** What the relay captures. */
export function banking(mapping: Mapping): CaptureMaker {
  const table = (letter: string, column: string): CaptureTable => ({
    columns: [column],
    targets: (row) =>
      mapping === 'without tellers' && letter === 't' ? [] : key(...keyOf(`${letter}${Number(row[column])}`)),
  });
  return capture({
    tables: Object.fromEntries(Object.entries(TABLES).map(([letter, it]) => [it.table, table(letter, it.key)])),
  });
}

/** What the log is called. */
export const NAME = 'bank';
