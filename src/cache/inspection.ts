import { globMatches } from '../coherence/glob.ts';
import { keyOf, placeOf, plainKey } from '../coherence/key.ts';
import { keyLabel, sameLabel } from '../coherence/label.ts';
import type { Node } from '../coherence/node.ts';
import { formatToken, type Token } from '../coherence/position.ts';
import type { Marked } from '../coherence/view.ts';
import { positionOf } from './cache-status.ts';
import type { Engine } from './engine.ts';
import type { Entry } from './entry.ts';
import type { MissReason } from './events.ts';
import { type InspectedLabel, labelsOf } from './inspected-label.ts';
import type { Found } from './store-tier.ts';

/** An entry of a tier, and why it may be served, or may not. */
export interface InspectedEntry {
  readonly tier: 'memory' | 'store';
  /** Of its query. */
  readonly version: number;
  /** `'fresh'`: it may be served. Else why not. */
  readonly verdict: 'fresh' | MissReason;
  /** The log position that its loader started from, and its number. */
  readonly mark: Token | undefined;
  readonly number: number;
  /** Milliseconds since its load began, and until its TTL and then its grace have passed; negative once they have. */
  readonly age: number;
  readonly ttlLeft: number;
  readonly graceLeft: number;
  readonly labels: readonly InspectedLabel[];
  /** Patterns newer than its mark that match it, with the number of their record. */
  readonly patterns: readonly { readonly pattern: string; readonly number: number }[];
  /** Whether a strict write that is open withholds it, and whether something that waits to be sent covers it. */
  readonly announced: boolean;
  readonly queued: boolean;
  readonly value: unknown;
}

/** All that this node knows of a key. */
export interface Inspection {
  readonly key: string;
  /** Whether this node can prove what it knows, and what that is. */
  readonly attached: boolean;
  readonly position: Token;
  readonly floor: number;
  readonly entries: readonly InspectedEntry[];
}

/** Most versions of a query that are looked for. */
const VERSIONS = 16;

/** @param key canonical */
export async function inspect(engine: Engine, key: string): Promise<Inspection> {
  const { node, memory, store, path } = engine;
  const { clock } = engine.settings.context;
  const now = engine.now();
  const places = Array.from({ length: VERSIONS }, (_, i) => placeOf(key, i + 1));
  const inMemory = places.flatMap((place) => {
    const entry = memory?.peek(place);
    return entry === undefined ? [] : [inspectMemory(node, place, entry, path.refuse(entry, place, now), now)];
  });
  // Their names, where a tier knows them.
  const tags = places.flatMap((place) => memory?.peek(place)?.set.tags ?? []);
  const found = await Promise.all(places.map(async (place) => store?.find(place)));
  const inStore = places.map(async (place, i) => {
    const it = found[i];
    return it && inspectStored(node, place, it, { now: engine.now(), wall: clock.wall(), tags });
  });
  const stored = (await Promise.all(inStore)).filter((it) => it !== undefined);
  const { floor } = node.view;
  return {
    ...{ key, floor, entries: [...inMemory, ...stored] },
    attached: node.attachedAt(engine.now()),
    position: positionOf(engine),
  };
}

/** What is looked at, where. */
interface Subject {
  readonly node: Node;
  readonly place: string;
  readonly marked: Marked;
  /** What its labels are known to be the labels of. */
  readonly names: readonly string[];
}

/** @param now the reading of the stopwatch that entries are dated by */
function inspectMemory(
  node: Node,
  place: string,
  entry: Entry,
  refused: MissReason | undefined,
  now: number,
): InspectedEntry {
  const end = entry.freshUntil - now;
  return {
    tier: 'memory',
    ...judged({ node, place, marked: entry, names: entry.set.tags }, refused),
    ...{ age: Math.max(0, now - entry.bornAt), ttlLeft: end, graceLeft: end + entry.grace, value: entry.value },
  };
}

/** @param wall now, by the clock that stored entries are dated by; @param tags which the entry may have */
async function inspectStored(
  node: Node,
  place: string,
  found: Found,
  { now, wall, tags }: { readonly now: number; readonly wall: number; readonly tags: readonly string[] },
): Promise<InspectedEntry> {
  const own = keyLabel(keyOf(place));
  const shared = found.labels.filter((label) => !sameLabel(label, own));
  const marked = { epoch: found.epoch, mark: found.mark, high: own.high, low: own.low, shared };
  const end = found.bornAt + found.ttl - wall;
  const cover = node.view.cover(marked, keyOf(place));
  const refused = node.attachedAt(now) ? (cover ?? (end > 0 ? undefined : 'expired')) : 'detached';
  return {
    tier: 'store',
    ...judged({ node, place, marked, names: tags }, refused),
    ...{
      age: Math.max(0, wall - found.bornAt),
      ttlLeft: end,
      graceLeft: end + found.grace,
      value: await unpacked(found),
    },
  };
}

function judged(
  { node: { view }, place, marked, names }: Subject,
  refused: MissReason | undefined,
): Omit<InspectedEntry, 'tier' | 'age' | 'ttlLeft' | 'graceLeft' | 'value'> {
  const { epoch, mark } = marked;
  const key = keyOf(place);
  const patterns = view.bans.list().filter((ban) => ban.number > mark && globMatches(ban.pattern, plainKey(key)));
  return {
    version: versionOf(place),
    verdict: refused ?? 'fresh',
    mark: epoch === '' ? undefined : formatToken({ epoch, number: mark }),
    number: mark,
    labels: labelsOf(view, key, marked, names),
    patterns: patterns.map(({ pattern, number }) => ({ pattern, number })),
    announced: view.announcements.cover([marked, ...marked.shared], plainKey(key)),
    queued: view.pending.size > 0 && view.pending.covers(marked, marked.shared, plainKey(key), 0),
  };
}

/** `undefined` where nobody here can read it, as where the entry was written by a serializer of somebody else's. */
async function unpacked(found: Found): Promise<unknown> {
  try {
    return await found.value();
  } catch {
    return undefined;
  }
}

/** See `placeOf`. */
function versionOf(place: string): number {
  return place === keyOf(place) ? 1 : Number(place.slice(2, place.indexOf(':')));
}
