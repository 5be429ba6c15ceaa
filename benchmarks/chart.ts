import { figure } from './figure.ts';
import type { Answer, Results, RowResult } from './results.ts';

const WIDTH = 860;
const LABELS = 310;
const VALUES = 70;
const BAR = 14;
const LINE = 22;
const HEAD = 58;
const FOOT = 26;

/** Colours for light and for dark surroundings; the ground is painted, so that a viewer who knows neither sees it too. */
const STYLE = `
  .ground { fill: #ffffff } .ink { fill: #1f2328 } .pale { fill: #59636e } .grid { stroke: #d1d9e0 }
  .own { fill: #0b7285 } .bare { fill: #b08800 } .other { fill: #8c959f }
  text { font: 13px system-ui, sans-serif } .title { font-weight: 600; font-size: 15px } .small { font-size: 11px }
  .value { paint-order: stroke; stroke: #ffffff; stroke-width: 4px }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .ink { fill: #f0f6fc } .pale { fill: #9198a1 } .grid { stroke: #3d444d }
    .own { fill: #3bc9db } .bare { fill: #e3b341 } .other { fill: #6e7681 }
    .value { stroke: #0d1117 }
  }`;

/** A bar chart of the answers that have a scale, one panel under the other. */
export function chartOf({ questions, machine }: Results): string {
  const drawn = Object.values(questions).filter((answer) => answer.scale !== undefined);
  let y = 40;
  const panels = drawn.map((answer) => {
    const panel = panelOf(answer, y);
    y += HEAD + answer.rows.length * LINE + FOOT;
    return panel;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="What each operation costs, by library">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${WIDTH}" height="${y}"/>`,
    text(20, 28, `Shorter is better. ${machine}.`, 'pale'),
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function panelOf(answer: Answer, top: number): string {
  const { title, unit, scale, rows } = answer;
  const axis = scale === 'log' ? logAxis(rows) : linearAxis(rows);
  const bottom = top + HEAD + rows.length * LINE;
  return [
    text(20, top + 22, title, 'ink title'),
    text(20, top + 40, `${unit}${scale === 'log' ? '; each line is ten times the one before' : ''}`, 'pale small'),
    ...axis.ticks.map((tick) => {
      const x = LABELS + axis.at(tick);
      return `<line class="grid" x1="${x}" x2="${x}" y1="${top + HEAD - 6}" y2="${bottom}"/>${text(x, bottom + 14, tick.toLocaleString('en'), 'pale small', 'middle')}`;
    }),
    ...rows.map((row, i) => barOf(row, top + HEAD + i * LINE, axis.at(row.median))),
  ].join('\n');
}

function barOf({ name, median }: RowResult, y: number, length: number): string {
  const kind = name.startsWith('Tidemark') ? 'own' : name.startsWith('lru-cache') ? 'bare' : 'other';
  return [
    text(LABELS - 8, y + 11, name, 'ink', 'end'),
    `<rect class="${kind}" x="${LABELS}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2"/>`,
    text(LABELS + length + 6, y + 11, figure(median), 'ink small value'),
  ].join('');
}

interface Axis {
  readonly ticks: readonly number[];
  /** Pixels from the left end. */
  at(value: number): number;
}

const ROOM = WIDTH - LABELS - VALUES;

/** From the power of ten below the smallest to the one above the largest. */
function logAxis(rows: readonly RowResult[]): Axis {
  const from = Math.floor(Math.log10(Math.min(...rows.map((row) => row.median))));
  const to = Math.ceil(Math.log10(Math.max(...rows.map((row) => row.median))));
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i)),
    at: (value) => (ROOM * (Math.log10(value) - from)) / Math.max(1, to - from),
  };
}

function linearAxis(rows: readonly RowResult[]): Axis {
  const largest = Math.max(...rows.map((row) => row.median));
  const step = 10 ** Math.floor(Math.log10(largest));
  return {
    ticks: Array.from({ length: Math.floor(largest / step) + 1 }, (_, i) => i * step),
    at: (value) => (ROOM * value) / largest,
  };
}

function text(x: number, y: number, content: string, look: string, anchor = 'start'): string {
  const safe = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text class="${look}" x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}">${safe}</text>`;
}
