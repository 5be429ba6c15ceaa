import { type ErrorCode, shorten, TidemarkError } from './errors.ts';
import { isWellFormed } from './key.ts';
import type { Label } from './label.ts';
import type { Lsn } from './record.ts';

/** States of an LSN on the wire. */
const LSN_NONE = 0;
const LSN_UNKNOWN = 1;
const LSN_KNOWN = 2;

const LARGEST_LSN = 2n ** 64n - 1n;
const LONGEST_TEXT = 0xffff;

/** Up to here a loop over a text is faster than native code, which has to be called first. */
const SHORT = 96;

/** The bytes of a text as UTF-8. */
export function utf8Length(text: string): number {
  if (text.length > SHORT) return Buffer.byteLength(text);
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text);
  return text.length;
}

/** What a lower-case hexadecimal digit stands for, or -1. */
function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
}

/**
 * Fills bytes of a size that the caller has computed, front to back; numbers are little-endian. What would not be read
 * back as it was given is refused with a TidemarkError of the code given to the constructor.
 */
export class ByteWriter {
  readonly #bytes: Buffer;
  readonly #code: ErrorCode;
  #at = 0;

  /** Kept, since the compiler forgets the shape of a class of which no instance is alive at a collection. */
  static readonly shape: ByteWriter = new ByteWriter(0, 'INVALID_RECORD');

  constructor(size: number, code: ErrorCode) {
    this.#bytes = Buffer.allocUnsafe(size);
    this.#code = code;
  }

  u8(value: number): this {
    this.#at = this.#bytes.writeUInt8(value, this.#at);
    return this;
  }

  u16(value: number): this {
    this.#at = this.#bytes.writeUInt16LE(value, this.#at);
    return this;
  }

  u32(value: number): this {
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
    return this;
  }

  f64(value: number): this {
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
    return this;
  }

  /** Milliseconds, or a time: finite and not negative. */
  amount(value: number): this {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) this.#refuse(value, 'a finite number that is not negative');
    return this.f64(value);
  }

  /** Nine bytes: a state, then the number or zeros. */
  lsn(value: Lsn): this {
    if (typeof value !== 'bigint')
      return this.u8(value === undefined ? LSN_NONE : LSN_UNKNOWN)
        .u32(0)
        .u32(0);
    if (value < 0n || value > LARGEST_LSN) this.#refuse(value, 'an LSN of 64 bits');
    this.u8(LSN_KNOWN);
    this.#at = this.#bytes.writeBigUInt64LE(value, this.#at);
    return this;
  }

  /** Lower-case hexadecimal digits, two for each of `bytes` bytes. */
  hex(digits: string, bytes: number): this {
    if (digits.length !== bytes * 2) this.#refuse(digits, `${bytes * 2} lower-case hexadecimal digits`);
    for (let i = 0; i < digits.length; i += 2) {
      const byte = (digit(digits.charCodeAt(i)) << 4) | digit(digits.charCodeAt(i + 1));
      if (byte < 0) this.#refuse(digits, `${bytes * 2} lower-case hexadecimal digits`);
      this.#bytes[this.#at++] = byte;
    }
    return this;
  }

  /** A text behind the 16-bit length of its UTF-8. */
  text(value: string): this {
    const length = utf8Length(value);
    if (length > LONGEST_TEXT || (length !== value.length && !isWellFormed(value)))
      this.#refuse(value, `a well-formed text of at most ${LONGEST_TEXT} bytes`);
    return this.u16(length).utf8(value, length);
  }

  /** A text behind nothing. @param length what {@link utf8Length} says of it */
  utf8(value: string, length: number): this {
    if (length === value.length && length <= SHORT)
      for (let i = 0; i < length; i++) this.#bytes[this.#at++] = value.charCodeAt(i);
    else this.#at += this.#bytes.write(value, this.#at, 'utf8');
    return this;
  }

  zeros(count: number): this {
    this.#bytes.fill(0, this.#at, this.#at + count);
    this.#at += count;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** Eight bytes each, high half first, behind nothing: the caller writes the count in the width its format has. */
  labels(list: readonly Label[]): this {
    for (const label of list) {
      this.#at = this.#bytes.writeInt32LE(label.high, this.#at);
      this.#at = this.#bytes.writeInt32LE(label.low, this.#at);
    }
    return this;
  }

  /** What was written. It is a `Buffer`, which every Redis client takes as it is. */
  done(): Uint8Array {
    // Memory that nobody has filled holds what was there before, and must not leave the process.
    if (this.#at !== this.#bytes.length)
      throw new TidemarkError(this.#code, `${this.#at} bytes were written of ${this.#bytes.length}.`);
    return this.#bytes;
  }

  #refuse(value: unknown, wanted: string): never {
    throw new TidemarkError(this.#code, `${shorten(value)} cannot be written. Give ${wanted}.`);
  }
}
