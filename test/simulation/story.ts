import type { Violation } from './checker.ts';
import { SITES } from './catalogue.ts';
import type { Fact } from './history.ts';

/** Facts before the first that matters that are shown too. */
const BEFORE = 3;

/** What happened around a violation: the facts that bear on its row and its node, from the missed write on. */
export function tell(facts: readonly Fact[], violation: Violation): string {
  const first = violation.facts[0] ?? facts.length - 1;
  const last = violation.facts.at(-1) ?? facts.length - 1;
  const marked = new Set(violation.facts);
  const loads = new Set(loadsOf(facts[last]));
  const row = violation.cell === undefined ? undefined : Math.floor(violation.cell / SITES.length);
  const node = nodeOf(facts, violation);
  const lines = facts.flatMap((fact, index) => {
    const about = fact.type === 'load' || fact.type === 'loaded' ? loads.has(fact.load) : false;
    const near = index >= first - BEFORE && index <= last;
    const earlier =
      index < first && index > first - 400 && (fact.type === 'fault' || concerns(fact, undefined, node, 'node'));
    if (
      !(marked.has(index) || about || (near && concerns(fact, row, node)) || (near && fact.type === 'fault') || earlier)
    )
      return [];
    return [`${marked.has(index) ? '>' : ' '} ${line(fact)}`];
  });
  const plan = facts[0]?.type === 'plan' ? facts[0].text : '';
  return [`${violation.promise}: ${violation.text}`, `  ${plan}`, ...lines].join('\n');
}

/** The whole history, one fact a line. */
export function tellAll(facts: readonly Fact[]): string {
  return facts.map(line).join('\n');
}

function line(fact: Fact): string {
  const { at, type, ...rest } = fact;
  const parts = Object.entries(rest).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (name === 'wish')
      return Object.entries(value as object).flatMap(([key, it]) => (it ? [`${key} ${String(it)}`] : []));
    if (name === 'cells' && Array.isArray(value) && value.length > 6) return [`cells ${value.slice(0, 6).join(',')}..`];
    return [`${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`];
  });
  return `${at.toFixed(3).padStart(10)} ${type.padEnd(12)} ${parts.join(' ')}`;
}

function nodeOf(facts: readonly Fact[], { facts: indexes }: Violation): number | undefined {
  for (const index of indexes) {
    const fact = facts[index];
    if (fact?.type === 'asked' || fact?.type === 'status') return fact.node;
  }
  return undefined;
}

function concerns(fact: Fact, row: number | undefined, node: number | undefined, only?: Fact['type']): boolean {
  if (only !== undefined && fact.type !== only) return false;
  switch (fact.type) {
    case 'commit':
    case 'logged':
      return row !== undefined && fact.rows.includes(row);
    case 'announced':
    case 'called':
    case 'kept':
    case 'appended':
      return row !== undefined && fact.cells.some((cell) => Math.floor(cell / SITES.length) === row);
    case 'acknowledged':
    case 'outside':
    case 'started':
    case 'killed':
      return true;
    case 'load':
    case 'fallback':
      return fact.row === row;
    case 'node':
    case 'breaker':
      return fact.node === node;
    default:
      return false;
  }
}

function loadsOf(fact: Fact | undefined): number[] {
  if (fact?.type !== 'answered') return [];
  return fact.values.flatMap((value) => (value === undefined ? [] : [value.load]));
}
