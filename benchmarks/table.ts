import { figure, percent, times } from './figure.ts';
import type { Answer } from './results.ts';

/** The head and the cells of an answer's table, for the console and the README alike. */
export function tableOf({ rows, unit, against, rounds }: Answer): string[][] {
  const expects = rows.some((row) => row.expected !== undefined);
  const head = [
    '',
    unit,
    ...(rounds > 1 ? ['spread'] : []),
    ...(expects ? ['expected'] : []),
    ...against.map((name) => `against ${name}`),
  ];
  const body = rows.map((row) => [
    row.name,
    figure(row.median),
    ...(rounds > 1 ? [Number.isFinite(row.spread) ? `±${percent(row.spread)}` : ''] : []),
    ...(expects ? [figure(row.expected ?? Number.NaN)] : []),
    ...against.map((name) => times(row.ratios[name] ?? Number.NaN)),
  ]);
  return [head, ...body];
}

/** Columns under each other; all but the first end at the right. */
export function plainTable(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ');
  return cells.map((row) => `  ${line(row)}`.trimEnd()).join('\n');
}

export function markdownTable([head = [], ...body]: readonly (readonly string[])[]): string {
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, rule, ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}
