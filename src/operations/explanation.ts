import { within } from '../coherence/deadline.ts';
import { plainKey } from '../coherence/key.ts';
import { readToken } from '../coherence/position.ts';
import type { Cache, InspectedEntry, Inspection, KeyInput, Token } from '../index.ts';
import { coverAnswer, type CoveringRecord, coveredUpTo } from './covering-record.ts';
import { History } from './history.ts';
import type { RecentRecords } from './recent-records.ts';
import { verdictSentence } from './verdict-sentence.ts';

/** An entry, why it may be served or may not, and who has seen to that. */
export interface ExplainedEntry {
  readonly tier: InspectedEntry['tier'];
  /** Of its query. */
  readonly version: number;
  readonly verdict: InspectedEntry['verdict'];
  /** For people. */
  readonly sentence: string;
  /** Where it is known. */
  readonly covering?: CoveringRecord;
}

/** Why a read of a key would be answered as it would be. */
export interface KeyExplanation {
  readonly inspection: Inspection;
  /** In the order of `inspection.entries`. */
  readonly entries: readonly ExplainedEntry[];
  /** What the next read does, for people. */
  readonly sentence: string;
}

export interface ExplainerParts {
  readonly cache: Cache;
  readonly records: RecentRecords;
}

/** Records in one question to the log, how many questions there are at most, and how long each may take, in ms. */
const PAGE = 200;
const PAGES = 10;
const PATIENCE = 5_000;

/** See `Operations.explain`. */
export async function explain({ cache, records }: ExplainerParts, key: KeyInput): Promise<KeyExplanation> {
  const inspection = await cache.inspect(key);
  const history = new History(records.list());
  const unread = await complete(cache, inspection, history);
  const now = cache.parts.context.clock.wall();
  const entries = inspection.entries.map((entry) => explained(entry, inspection, history, { now, unread }));
  return { inspection, entries, sentence: sentenceOf(inspection) };
}

/**
 * Reads what this node does not remember of the time since the oldest mark.
 *
 * @returns why that failed
 */
async function complete(cache: Cache, inspection: Inspection, history: History): Promise<string | undefined> {
  const { diagnostics, context } = cache.parts;
  const applied = readToken(inspection.position);
  const wanted = inspection.entries.flatMap((entry) => {
    const upTo = isPresent(entry, inspection) ? coveredUpTo({ ...inspection, entry }) : undefined;
    return upTo === undefined ? [] : [{ after: entry.number, upTo: Math.min(upTo, numberOf(applied)) }];
  });
  const missing = wanted.filter(({ after, upTo }) => !history.isWhole(after, upTo));
  if (diagnostics === undefined || missing.length === 0) return undefined;
  const after = Math.min(...missing.map((it) => it.after));
  let before = Math.max(...missing.map((it) => it.upTo)) + 1;
  try {
    for (let page = 0; page < PAGES; page++) {
      const late = (): Error => new Error(`no answer within ${PATIENCE} ms`);
      const found = await within(context.clock, PATIENCE, diagnostics.records(PAGE, before), late);
      history.add(found);
      const oldest = found.at(-1);
      if (oldest === undefined || oldest.prev <= after) break;
      before = oldest.number;
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function explained(
  entry: InspectedEntry,
  inspection: Inspection,
  history: History,
  { now, unread }: { readonly now: number; readonly unread: string | undefined },
): ExplainedEntry {
  const cover = isPresent(entry, inspection) ? coverAnswer({ ...inspection, entry }, history) : undefined;
  const { tier, version, verdict } = entry;
  return {
    ...{ tier, version, verdict },
    sentence: verdictSentence({ entry, loadedAt: now - entry.age, cover, unread }),
    ...(cover?.found === undefined ? {} : { covering: cover.found }),
  };
}

function sentenceOf({ key, entries, attached }: Inspection): string {
  const name = plainKey(key);
  const fresh = entries.find(({ verdict }) => verdict === 'fresh');
  if (fresh !== undefined)
    return `A read of ${name} is answered from ${fresh.tier === 'memory' ? 'memory' : 'the store'}.`;
  if (entries.length > 0) return `The next read of ${name} loads it: no tier has an entry that may be served.`;
  const why = attached ? '' : ' This node is not attached to its log, and would serve nothing in any case.';
  return `Nothing is kept under ${name}, in memory or in the store: the next read loads it.${why}`;
}

/** Whether an entry's mark means anything in the log as this node knows it. */
function isPresent({ mark }: InspectedEntry, { position }: Inspection): boolean {
  return mark !== undefined && epochOf(mark) !== undefined && epochOf(mark) === epochOf(position);
}

function epochOf(token: Token): string | undefined {
  const position = readToken(token);
  return typeof position === 'object' ? position.epoch : undefined;
}

function numberOf(position: ReturnType<typeof readToken>): number {
  return typeof position === 'object' ? position.number : 0;
}
