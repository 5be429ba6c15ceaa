import type { ByteReader } from './byte-reader.ts';
import { type ByteWriter, utf8Length } from './byte-writer.ts';
import type { Cause, Draft } from './record.ts';

/*
 * What a reader of records may skip: a type byte, a u32 length, that many bytes; one after the other up to the end. New
 * ones may be added without a new format version. Nothing that decides about freshness may stand in them.
 */
const TARGETS = 1;
const CAUSE = 2;
/** `[epoch, number]`; who skips it stays in doubt, which is safe. */
const LSN_AFTER = 3;

/** The parts of a draft that travel in extensions. */
export type Extensions = Pick<Draft, 'targets' | 'cause' | 'lsnAfter'>;

/** What {@link writeExtensions} will write, and how many bytes that takes. */
export interface MeasuredExtensions {
  readonly parts: readonly { readonly type: number; readonly json: string; readonly length: number }[];
  readonly size: number;
}

/** The extensions of a draft; none when it has nothing to tell. */
export function measureExtensions({ targets, cause, lsnAfter }: Extensions): MeasuredExtensions {
  const parts: { type: number; json: string; length: number }[] = [];
  let size = 0;
  const add = (type: number, value: unknown): void => {
    const json = JSON.stringify(value);
    const length = utf8Length(json);
    size += 5 + length;
    parts.push({ type, json, length });
  };
  if (targets !== undefined) add(TARGETS, targets);
  if (cause !== undefined) add(CAUSE, cause);
  if (lsnAfter !== undefined) add(LSN_AFTER, [lsnAfter.epoch, lsnAfter.number]);
  return { parts, size };
}

export function writeExtensions(writer: ByteWriter, { parts }: MeasuredExtensions): void {
  for (const { type, json, length } of parts) writer.u8(type).u32(length).utf8(json, length);
}

/** Reads extensions up to the end. One that is broken is left out, with those behind it if it is cut short. */
export function readExtensions(reader: ByteReader): Extensions {
  const found: Writable<Extensions> = { targets: undefined, cause: undefined, lsnAfter: undefined };
  while (reader.left >= 5) {
    const type = reader.u8();
    const length = reader.u32();
    if (length > reader.left) break;
    const json = reader.utf8(length);
    if (type === TARGETS) {
      const targets = parse(json);
      if (Array.isArray(targets) && targets.every((target) => typeof target === 'string')) found.targets = targets;
    } else if (type === CAUSE) {
      const cause = causeOf(parse(json));
      if (cause !== undefined) found.cause = cause;
    } else if (type === LSN_AFTER) {
      const after = parse(json);
      const [epoch, number] = Array.isArray(after) ? (after as unknown[]) : [];
      if (typeof epoch === 'string' && Number.isSafeInteger(number))
        found.lsnAfter = { epoch, number: number as number };
    }
  }
  return found;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined; // A broken extension is as good as none; what decides stands in the header.
  }
}

/** The known fields that hold texts; what else a newer release may have sent is left out. */
function causeOf(value: unknown): Cause | undefined {
  if (!isObject(value)) return undefined;
  const { event, entityType, entityId, action, trace, fields } = value;
  const texts = textsOf({ event, entityType, entityId, action, trace });
  return isObject(fields) ? { ...texts, fields: textsOf(fields) } : texts;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textsOf(value: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
