import type { InspectedLabel, Inspection } from '../index.ts';
import type { KeyExplanation } from '../operations/index.ts';
import { statusColour } from './health-status.ts';
import { paint } from './paint.ts';
import { plain } from './plain.ts';
import { clock, count, time } from './quantity.ts';
import { type Column, pairs, table } from './table.ts';

type Explained = KeyExplanation['entries'][number];

/** What the entries of a key depend on, by name where it is known. */
export function dependencies({ entries }: Inspection): readonly string[] {
  return [...new Set(entries.flatMap(({ labels }) => labels.map(nameOf)))];
}

const nameOf = ({ name, label }: InspectedLabel): string => name ?? `tag with the label ${label}`;

/** Why what the tiers have under a key may be served, or may not. */
export function explanationText({ inspection, entries, sentence }: KeyExplanation): string {
  const parts = [[paint('bold', plain(sentence)), ...entries.map(entrySentence)].join('\n')];
  if (entries.length > 0) parts.push(table(entryColumns, inspection.entries));
  parts.push(...distinct(entries.flatMap((it) => it.covering ?? [])).map(coveringText));
  const labels = distinct(inspection.entries.flatMap((it) => it.labels));
  if (labels.length > 0) parts.push(table(labelColumns, labels));
  if (inspection.entries.some(({ verdict }) => verdict === 'fresh')) parts.push(suspicion(inspection));
  return parts.join('\n\n');
}

function entrySentence({ sentence }: Explained): string {
  return `- ${plain(sentence)}`;
}

/** What can be said of a value that the rule finds fresh, to somebody who knows better. */
function suspicion(inspection: Inspection): string {
  const names = dependencies(inspection).map((it) => plain(it));
  return `If its source has another value, the write that changed it has invalidated none of: ${names.join(', ')}.`;
}

type InspectedEntry = Inspection['entries'][number];

const entryColumns: readonly Column<InspectedEntry>[] = [
  { head: 'TIER', cell: ({ tier }) => tier },
  { head: 'VERSION', cell: ({ version }) => count(version), right: true },
  {
    head: 'VERDICT',
    cell: ({ verdict }) => verdict,
    paint: ({ verdict }) => statusColour(verdict === 'fresh' ? 'healthy' : 'degraded'),
  },
  { head: 'AGE', cell: ({ age }) => time(age), right: true },
  { head: 'TTL-LEFT', cell: ({ ttlLeft }) => time(ttlLeft), right: true },
  { head: 'MARK', cell: ({ number }) => String(number), right: true },
];

const labelColumns: readonly Column<InspectedLabel>[] = [
  { head: 'DEPENDS-ON', cell: nameOf },
  { head: 'NEWEST-RECORD', cell: ({ newest }) => (newest === 0 ? 'none' : String(newest)), right: true },
  {
    head: 'AFTER-MARK',
    cell: ({ covers }) => (covers ? 'yes' : 'no'),
    paint: ({ covers }) => (covers ? 'yellow' : undefined),
  },
];

function coveringText({ number, by, at, origin, event, targets, trace }: NonNullable<Explained['covering']>): string {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['covered by', `record ${number}, ${by}`],
    ['sent by', origin],
    ['at', at === undefined ? undefined : clock(at)],
    ['event', event],
    ['targets', targets.join(', ')],
    ['trace', trace],
  ];
  return pairs(rows.flatMap(([name, value]) => (value ? [[name, plain(value)] as const] : [])));
}

function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((it) => [JSON.stringify(it), it])).values()];
}
