import { isUtf8 } from 'node:buffer';
import { type ErrorCode, TidemarkError } from './errors.ts';
import type { Label } from './label.ts';
import type { Lsn } from './record.ts';

/**
 * Takes bytes apart, front to back; numbers are little-endian. Nothing is read beyond the end, and nothing is allocated
 * for what a length or a count claims before the bytes are there: they may come from a stranger.
 *
 * Every method throws a TidemarkError with the code given to the constructor when the bytes do not hold what was asked.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #code: ErrorCode;
  #at = 0;

  /** Kept, since the compiler forgets the shape of a class of which no instance is alive at a collection. */
  static readonly shape: ByteReader = new ByteReader(Buffer.alloc(0), 'INVALID_RECORD');

  constructor(bytes: Uint8Array, code: ErrorCode) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#code = code;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#advance(2));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  f64(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  /** A 64-bit float that must be an integer from 0 to 2^53 - 1. */
  position(what: string): number {
    const number = this.f64();
    if (Number.isSafeInteger(number) && number >= 0) return number + 0; // -0 becomes 0
    return this.fail(`${what} ${number} is not a position`);
  }

  /** A 64-bit float that must be finite and not negative: milliseconds, or a time. */
  amount(what: string): number {
    const number = this.f64();
    return number >= 0 && number < Number.POSITIVE_INFINITY ? number : this.fail(`${what} ${number} is not an amount`);
  }

  /** A state that this release does not know counts as `'unknown'`: it taints, and claims nothing. */
  lsn(): Lsn {
    const state = this.u8();
    const value = this.#bytes.readBigUInt64LE(this.#advance(8));
    return state === 0 ? undefined : state === 2 ? value : 'unknown';
  }

  hex(bytes: number): string {
    const from = this.#advance(bytes);
    return this.#bytes.toString('hex', from, from + bytes);
  }

  /** A text behind its 16-bit length; anything but valid UTF-8 is refused, since a repaired pattern covers other keys. */
  text(): string {
    const bytes = this.bytes(this.u16());
    if (!isUtf8(bytes)) return this.fail('a text is not valid UTF-8');
    return this.#bytes.toString('utf8', this.#at - bytes.length, this.#at);
  }

  /** A view of the next bytes, not a copy. */
  bytes(length: number): Uint8Array {
    const from = this.#advance(length);
    return this.#bytes.subarray(from, from + length);
  }

  labels(count: number): Label[] {
    let from = this.#advance(count * 8);
    const labels: Label[] = [];
    for (; from < this.#at; from += 8) {
      labels.push({ high: this.#bytes.readInt32LE(from), low: this.#bytes.readInt32LE(from + 4) });
    }
    return labels;
  }

  /** Throws what this reader throws, saying where. */
  fail(problem: string): never {
    throw new TidemarkError(this.#code, `Unreadable at byte ${this.#at}: ${problem}.`);
  }

  #advance(length: number): number {
    if (length > this.left) this.fail(`${length} bytes wanted, ${this.left} left`);
    const from = this.#at;
    this.#at += length;
    return from;
  }
}
