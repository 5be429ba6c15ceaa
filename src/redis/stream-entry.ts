import type { LogRecord } from '../coherence/record.ts';
import type { TidemarkError } from '../coherence/errors.ts';
import { ByteReader } from '../coherence/byte-reader.ts';
import { checkNumber } from '../coherence/position.ts';
import { readRecord } from '../coherence/wire.ts';
import type { Reply } from './connection.ts';
import { bytesOf, listOf, textOf } from './reply.ts';

/** One append as it stands in the stream: its records have numbers that follow one another. */
export interface StreamEntry {
  readonly epoch: string;
  readonly records: readonly LogRecord[];
  /** Why some of them cannot be read, and cover everything. */
  readonly unreadable: readonly TidemarkError[];
}

/**
 * Reads `[id, [epoch, value]]`: the id is the number of the last record, the value the number before the first, then each
 * record behind its length. The numbers inside the records are zero: where they stand follows from the id.
 *
 * @throws TidemarkError `INVALID_RECORD` or `POSITION_OUT_OF_RANGE` for an entry that the log's script has not written
 */
export function readEntry(reply: Reply): StreamEntry {
  const [id, fields] = listOf(reply);
  const [epoch, value] = listOf(fields);
  const last = checkNumber(Number.parseInt(textOf(id), 10));
  const reader = new ByteReader(bytesOf(value), 'INVALID_RECORD');
  let prev = reader.position('previous number');
  const frames: ByteReader[] = [];
  while (reader.left > 0) frames.push(reader.part(reader.u32()));
  const records: LogRecord[] = [];
  const unreadable: TidemarkError[] = [];
  let number = last - frames.length;
  for (const frame of frames) {
    const decoded = readRecord(frame, { number: ++number, prev });
    prev = number;
    records.push(decoded.record);
    if (decoded.unreadable !== undefined) unreadable.push(decoded.unreadable);
  }
  return { epoch: textOf(epoch), records, unreadable };
}

/** The id after which the entries stand that a node does not have which has applied `number`; the log's first entry is `0-1`. */
export function entryId(number: number): string {
  return number === 0 ? '0-1' : `${number}-0`;
}
