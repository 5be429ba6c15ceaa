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
  readonly #from: number;
  readonly #end: number;
  #at: number;

  /** Kept, since the compiler forgets the shape of a class of which no instance is alive at a collection. */
  static readonly shape: ByteReader = new ByteReader(Buffer.alloc(0), 'INVALID_RECORD');

  /** @param from where it begins in `bytes`, and `end` where it ends: all of them unless it is said */
  constructor(bytes: Uint8Array, code: ErrorCode, from = 0, end: number = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#code = code;
    this.#from = from;
    this.#end = end;
    this.#at = from;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#end - this.#at;
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

  /** 16 bytes as hexadecimal digits; `undefined` for zeros. */
  idOrZeros(): string | undefined {
    const from = this.#advance(16);
    for (let at = from; at < this.#at; at += 4)
      if (this.#bytes.readInt32LE(at) !== 0) return this.#bytes.toString('hex', from, this.#at);
    return undefined;
  }

  /** A text behind its 16-bit length; anything but valid UTF-8 is refused, since a repaired pattern covers other keys. */
  text(): string {
    const from = this.#advance(this.u16());
    let at = from;
    while (at < this.#at && (this.#bytes[at] as number) < 0x80) at++;
    if (at === this.#at) return this.#bytes.toString('latin1', from, at);
    if (!isUtf8(this.#bytes.subarray(from, this.#at))) return this.fail('a text is not valid UTF-8');
    return this.#bytes.toString('utf8', from, this.#at);
  }

  /** So many bytes as a text; what is not UTF-8 is replaced. */
  utf8(length: number): string {
    const from = this.#advance(length);
    return this.#bytes.toString('utf8', from, this.#at);
  }

  /** A reader of the next bytes, not a copy. */
  part(length: number): ByteReader {
    const from = this.#advance(length);
    return new ByteReader(this.#bytes, this.#code, from, this.#at);
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
    throw new TidemarkError(this.#code, `Unreadable at byte ${this.#at - this.#from}: ${problem}.`);
  }

  #advance(length: number): number {
    if (length > this.left) this.fail(`${length} bytes wanted, ${this.left} left`);
    const from = this.#at;
    this.#at += length;
    return from;
  }
}
