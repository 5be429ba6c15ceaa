import { TidemarkError, shorten } from './errors.ts';
import type { Label } from './label.ts';

/** Slots of a table by default: 2 MiB. */
export const DEFAULT_SLOTS: number = 2 ** 18;

/** Slots that one label hashes to by default. */
export const DEFAULT_HASHES = 3;

/**
 * For every label, the position of the newest record that covers it, in fixed memory.
 *
 * A label hashes to `hashes` slots; a record writes its position into all of them, and the newest position of a label is
 * the smallest of its slots. Collisions can only make a label look newer than it is: a needless reload, never a stale
 * serve. (The structure is a Bloom filter, or count-min sketch, that keeps maxima instead of bits or counts.)
 */
export class TideTable {
  /** How many positions it holds: a power of two. */
  readonly slots: number;
  readonly hashes: number;
  readonly #positions: Float64Array;
  readonly #mask: number;

  /** @throws TidemarkError `INVALID_OPTION`, see {@link checkTable} */
  constructor(slots: number = DEFAULT_SLOTS, hashes: number = DEFAULT_HASHES) {
    checkTable(slots, hashes);
    this.slots = slots;
    this.hashes = hashes;
    this.#positions = new Float64Array(slots);
    this.#mask = slots - 1;
  }

  /** The slots of a label are `high + i * (low | 1)` modulo the number of slots, for i from 0. Part of the protocol. */
  newest(label: Label): number {
    const mask = this.#mask;
    const step = label.low | 1;
    let at = label.high & mask;
    let newest = this.#positions[at] as number;
    for (let i = 1; i < this.hashes; i++) {
      at = (at + step) & mask;
      const position = this.#positions[at] as number;
      if (position < newest) newest = position;
    }
    return newest;
  }

  /** Notes that a record at `number` covers the label; an older number than the one known changes nothing. */
  raise(label: Label, number: number): void {
    const step = label.low | 1;
    let at = label.high & this.#mask;
    for (let i = 0; i < this.hashes; i++) {
      if (number > (this.#positions[at] as number)) this.#positions[at] = number;
      at = (at + step) & this.#mask;
    }
  }

  /** A copy as bytes: little-endian 64-bit floats in slot order. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.slots * 8);
    if (LITTLE_ENDIAN) bytes.set(new Uint8Array(this.#positions.buffer));
    else this.#positions.forEach((number, i) => new DataView(bytes.buffer).setFloat64(i * 8, number, true));
    return bytes;
  }

  /**
   * Takes the larger of each slot and its counterpart in `bytes`; never lowers one.
   *
   * @throws TidemarkError `INVALID_RECORD` when the size differs, or a slot is not a number
   */
  merge(bytes: Uint8Array): void {
    const numbers = this.#read(bytes);
    for (let i = 0; i < numbers.length; i++) {
      const number = numbers[i] as number;
      if (number > (this.#positions[i] as number)) this.#positions[i] = number;
    }
  }

  /** Replaces every slot: for another epoch, in which the old positions mean nothing. Throws as {@link merge} does. */
  replace(bytes: Uint8Array): void {
    this.#positions.set(this.#read(bytes));
  }

  /** The share of slots that were ever written; at 0.5 and three hashes one label in eight looks newer than it is. */
  fill(): number {
    let used = 0;
    for (const number of this.#positions) if (number > 0) used++;
    return used / this.slots;
  }

  #read(bytes: Uint8Array): Float64Array {
    if (bytes.length !== this.slots * 8) {
      throw new TidemarkError(
        'INVALID_RECORD',
        `A table of ${bytes.length / 8} slots does not fit one of ${this.slots}. Table size belongs to the log: give every node the same.`,
      );
    }
    const numbers = new Float64Array(this.slots);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (LITTLE_ENDIAN) new Uint8Array(numbers.buffer).set(bytes);
    else for (let i = 0; i < this.slots; i++) numbers[i] = view.getFloat64(i * 8, true);
    // A NaN would compare as "not newer" for ever after; refuse the whole copy before anything has changed.
    if (numbers.some((number) => !(number >= 0))) {
      throw new TidemarkError(
        'INVALID_RECORD',
        'The copied table holds something that is not a position. Start a new epoch.',
      );
    }
    return numbers;
  }
}

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** @throws TidemarkError `INVALID_OPTION` unless slots is a power of two from 2^4 to 2^28 and hashes is from 1 to 8 */
export function checkTable(slots: number, hashes: number): void {
  if (!Number.isInteger(Math.log2(slots)) || slots < 2 ** 4 || slots > 2 ** 28) {
    throw new TidemarkError('INVALID_OPTION', `table slots: ${shorten(slots)} is not a power of two from 16 to 2^28.`);
  }
  if (!Number.isInteger(hashes) || hashes < 1 || hashes > 8) {
    throw new TidemarkError('INVALID_OPTION', `table hashes: ${shorten(hashes)} is not an integer from 1 to 8.`);
  }
}
