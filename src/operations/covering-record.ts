import { globMatches } from '../coherence/glob.ts';
import { plainKey } from '../coherence/key.ts';
import { keyLabel, labelText, tagLabel } from '../coherence/label.ts';
import type { InspectedEntry, LogRecord, RecordKind } from '../index.ts';
import type { History, KnownRecord } from './history.ts';

/** The record that keeps an entry from being served. */
export interface CoveringRecord {
  readonly number: number;
  readonly kind: RecordKind;
  /** What of it covers the entry: `tag org:7`, `key user`, `pattern user:*`, `everything`. */
  readonly by: string;
  /** When it was made, in ms since 1970 by the clock of its maker; `undefined` where that is not said. */
  readonly at: number | undefined;
  /** When this node has applied it, by its own clock; `undefined` of one that was read from the log. */
  readonly appliedAt: number | undefined;
  /** The node that made it. */
  readonly origin: string;
  readonly event: string | undefined;
  readonly targets: readonly string[];
  /** W3C `traceparent`. */
  readonly trace: string | undefined;
}

/** What is asked of the log's history. */
export interface CoverQuestion {
  /** Canonical. */
  readonly key: string;
  readonly entry: InspectedEntry;
  readonly floor: number;
}

/** What covers an entry: where one can be known, the record. */
export interface CoverAnswer {
  readonly why: 'floor' | 'label' | 'ban' | 'announcement';
  /** What the table, the floor or the bans say: the number of the record, or of one that collides with it. */
  readonly number: number;
  /** The label, as people read it, or the pattern. */
  readonly what: string;
  readonly found: CoveringRecord | undefined;
  /** Whether every record since the mark is known, so that one that was not found is not there. */
  readonly whole: boolean;
}

/** The newest number that a search has to reach up to; `undefined` where nothing covers the entry. */
export function coveredUpTo({ entry, floor }: CoverQuestion): number | undefined {
  const numbers = [
    ...entry.labels.filter(({ covers }) => covers).map(({ newest }) => newest),
    ...entry.patterns.map(({ number }) => number),
    ...(floor > entry.number ? [floor] : []),
    ...(entry.announced ? [Number.MAX_SAFE_INTEGER] : []),
  ];
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

/** What covers an entry of the present epoch, in the order in which the rule looks. */
export function coverAnswer(question: CoverQuestion, history: History): CoverAnswer | undefined {
  const { entry, floor } = question;
  if (floor > entry.number) return floorAnswer(entry, floor, history);
  if (entry.labels.some(({ covers }) => covers)) return labelAnswer(entry, history);
  if (entry.patterns.length > 0) return banAnswer(entry, history);
  return entry.announced ? announcementAnswer(question, history) : undefined;
}

function floorAnswer({ number }: InspectedEntry, floor: number, history: History): CoverAnswer {
  const found = history
    .between(number, Number.MAX_SAFE_INTEGER)
    .find(({ record }) => (record.kind === 'floor' ? record.floor === floor : record.number === floor));
  const whole = history.isWhole(number, floor);
  return { why: 'floor', number: floor, what: 'everything', found: found && covering(found, 'everything'), whole };
}

/** The newest record that has one of the labels; a label whose slots are all newer, and that no record has, collides. */
function labelAnswer({ labels, number: mark }: InspectedEntry, history: History): CoverAnswer {
  const covers = labels.filter((it) => it.covers);
  const newest = covers.reduce((most, it) => (it.newest > most.newest ? it : most));
  const between = history.between(mark, newest.newest);
  const whole = history.isWhole(mark, newest.newest);
  for (const known of between) {
    const label = covers.find((it) => known.record.labels.some((other) => labelText(other) === it.label));
    if (label === undefined) continue;
    const what = label.name ?? targetOf(known.record, label.label) ?? `label ${label.label}`;
    return { why: 'label', number: known.record.number, what, found: covering(known, what), whole };
  }
  const what = newest.name ?? `label ${newest.label}`;
  return { why: 'label', number: newest.newest, what, found: undefined, whole };
}

function banAnswer({ patterns, number: mark }: InspectedEntry, history: History): CoverAnswer {
  const newest = patterns.reduce((most, it) => (it.number > most.number ? it : most));
  const known = history.at(newest.number);
  const what = `pattern ${newest.pattern}`;
  const whole = history.isWhole(mark, newest.number);
  return { why: 'ban', number: newest.number, what, found: known && covering(known, what), whole };
}

/** One that no record has closed. */
function announcementAnswer({ key, entry }: CoverQuestion, history: History): CoverAnswer {
  const all = history.between(0, Number.MAX_SAFE_INTEGER).map(({ record }) => record);
  const closed = new Set(all.map(({ closes }) => closes));
  const number = all[0]?.number ?? 0;
  for (const record of all) {
    if (record.kind !== 'announce' || closed.has(record.id)) continue;
    const label = entry.labels.find((it) => record.labels.some((other) => labelText(other) === it.label));
    const glob = record.patterns.find((pattern) => globMatches(pattern, plainKey(key)));
    if (label === undefined && glob === undefined) continue;
    const what = label?.name ?? (glob === undefined ? `label ${label?.label}` : `pattern ${glob}`);
    const known = history.at(record.number);
    return { why: 'announcement', number, what, found: known && covering(known, what), whole: true };
  }
  return { why: 'announcement', number, what: '', found: undefined, whole: false };
}

/** A target of a record as it says it itself, by its label: what a stored entry depends on has no other name. */
function targetOf({ targets = [] }: LogRecord, label: string): string | undefined {
  return targets.find((target) => {
    const [kind, ...rest] = target.split(' ');
    const name = rest.join(' ');
    return (
      (kind === 'tag' && labelText(tagLabel(name)) === label) || (kind === 'key' && labelText(keyLabel(name)) === label)
    );
  });
}

function covering({ record, appliedAt }: KnownRecord, by: string): CoveringRecord {
  const { number, kind, time, origin, targets = [], cause } = record;
  return {
    ...{ number, kind, by, at: time > 0 ? time : undefined, appliedAt, origin, targets },
    event: cause?.event,
    trace: cause?.trace,
  };
}
