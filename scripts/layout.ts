import { type ImportRow, importRows, outsideRows, testRow } from './import-rules.ts';

export const sourceFile = /\.[cm]?tsx?$/;
export const testFile = /\.test(-d)?\.ts$/;
export const rootDoor = 'src/index.ts';

/** The folders at the root whose sources are checked. */
export const checkedFolders: readonly string[] = [
  'src',
  ...new Set(Object.keys(outsideRows).map((path) => path.split('/')[0] ?? path)),
];

/** The folder of `src` that a file is in; for a file directly in `src`, its own name. */
export const roomOf = (file: string): string => file.split('/')[1] ?? file;

/** The rows that apply to a file of `src`; undefined outside. An unknown folder has none. */
export function rowsFor(file: string): ImportRow[] | undefined {
  if (!isInSource(file)) return undefined;
  const row = rowOf(file);
  return [...(row ? [row] : []), ...(testFile.test(file) ? [testRow] : [])];
}

export const rowOf = (file: string): ImportRow | undefined => longestRow(importRows, file.slice('src/'.length));

export function longestRow<Row>(rows: Readonly<Record<string, Row>>, path: string): Row | undefined {
  const keys = Object.keys(rows).filter((key) => path === key || path.startsWith(`${key}/`));
  const longest = keys.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : rows[longest];
}

export const isInSource = (file: string): boolean => file.startsWith('src/');
