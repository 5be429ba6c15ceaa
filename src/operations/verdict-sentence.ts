import type { InspectedEntry } from '../index.ts';
import type { CoverAnswer, CoveringRecord } from './covering-record.ts';
import { spokenDuration, spokenMoment } from './spoken-time.ts';

/** What a sentence about an entry says. */
export interface Judged {
  readonly entry: InspectedEntry;
  /** When its load began, in ms since 1970. */
  readonly loadedAt: number;
  /** What covers it, whatever its verdict. */
  readonly cover: CoverAnswer | undefined;
  /** Why the log's records could not be read. */
  readonly unread: string | undefined;
}

const NEXT = 'so it may not be served, and the next read loads it';

/** Why an entry may be served or may not, in a sentence or two. */
export function verdictSentence({ entry, loadedAt, cover, unread }: Judged): string {
  const version = entry.version === 1 ? '' : ` of version ${entry.version}`;
  const subject = `${entry.tier === 'memory' ? 'The entry in memory' : 'The stored entry'}${version}`;
  const begin = `${subject} was loaded at ${spokenMoment(loadedAt)}`;
  switch (entry.verdict) {
    case 'fresh':
      return `${begin} and may be served: nothing that it depends on was invalidated since. ${ttl(entry)}`;
    case 'expired':
      return `${begin}; its TTL ended ${spokenDuration(-entry.ttlLeft)} ago, ${NEXT}. ${grace(entry)}${also(cover)}`.trim();
    case 'detached':
      return `${begin}, and this node cannot prove that it is still right: it is not attached to its log. Reads go to the loader until it is.${also(cover)}`;
    case 'epoch':
      return `${begin}, in another life of the log, which was restarted, emptied or failed over since: nothing can be proved of it, ${NEXT}.`;
    case 'queued':
      return `${begin}; this process has invalidated it, and that waits to be sent to the log: it is not served here, and other nodes do not know of it yet.`;
    case 'young':
      return `${begin}; the log has begun anew a moment ago, and where writes are strict nothing is served or kept for twice maxLag then.`;
    default:
      return cover === undefined
        ? `${begin}; something that covers it has changed while it was looked at. Look again.`
        : `${begin}; ${covered(cover, loadedAt, unread)}`;
  }
}

function covered(cover: CoverAnswer, loadedAt: number, unread: string | undefined): string {
  const { why, what, found, whole, number } = cover;
  if (found !== undefined) return told(why, found, loadedAt);
  switch (why) {
    case 'label':
      return whole
        ? `nothing that it depends on was invalidated since, but ${what} shares its slots of the tide table with what was (record ${number}): a false cover, which costs a load and no more. Where it is frequent, give the log more slots.`
        : `${what} was invalidated since, ${NEXT}. ${lost(number, unread)} It may also be that only something that shares its slots of the tide table was invalidated: with a higher \`history\` of redis() and more \`records\` of createOperations() the record shows which, the next time.`;
    case 'ban':
      return `${what}, which matches its key, was invalidated since, ${NEXT}. ${lost(number, unread)}`;
    case 'floor':
      return `everything was invalidated since, or the log has given up patterns that were older than maxLife or too many (floor ${number}), ${NEXT}. ${lost(number, unread)}`;
    case 'announcement':
      return `a strict write that is under way withholds it: it is neither served nor kept until that has ended. ${lost(number, unread)}`;
    default:
      return why satisfies never;
  }
}

function told(why: CoverAnswer['why'], record: CoveringRecord, loadedAt: number): string {
  const { by, kind } = record;
  if (kind === 'floor')
    return `the log has given up patterns that were older than maxLife, or too many, and what was loaded before them cannot be proved any more, ${NEXT}.`;
  if (why === 'announcement')
    return `a strict write of ${by} by ${who(record)} is under way: it is neither served nor kept until that has ended.`;
  const matching = why === 'ban' ? ', which matches its key,' : '';
  return `${by}${matching} was invalidated ${later(record, loadedAt)} by ${who(record)}, ${NEXT}.`;
}

function who({ origin, event, trace }: CoveringRecord): string {
  const about = [...(event === undefined ? [] : [`'${event}'`]), ...(trace === undefined ? [] : [`trace ${trace}`])];
  return about.length === 0 ? origin : `${origin} (${about.join(', ')})`;
}

/** By the clocks of two machines: for people. */
function later({ at }: CoveringRecord, loadedAt: number): string {
  if (at === undefined) return 'later';
  return at > loadedAt ? `${spokenDuration(at - loadedAt)} later` : 'at about the same time';
}

function lost(number: number, unread: string | undefined): string {
  return unread === undefined
    ? `Its record (${number}) is remembered neither here nor in the log any more.`
    : `Its record (${number}) is not remembered here, and the log could not be asked: ${unread}.`;
}

function also(cover: CoverAnswer | undefined): string {
  return cover === undefined ? '' : ` Also, ${cover.what} was invalidated since.`;
}

function ttl({ ttlLeft }: InspectedEntry): string {
  return Number.isFinite(ttlLeft) ? `Its TTL ends in ${spokenDuration(ttlLeft)}.` : 'Its TTL does not end.';
}

function grace({ graceLeft }: InspectedEntry): string {
  return graceLeft > 0
    ? `Its grace goes on for ${spokenDuration(graceLeft)}: it may stand in for a loader that fails.`
    : '';
}
