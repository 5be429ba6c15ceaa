/** Two signed 32-bit halves of a 64-bit hash. */
export interface Hash {
  readonly high: number;
  readonly low: number;
}

const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

/** Room for the longest key (1024 code units, 3 bytes each), a kind byte and 16 bytes of padding. */
const ROOM = 4096;

/** Working space of one synchronous call; nothing in it outlives the call. A fresh buffer each time costs 3 times as much. */
const desk = new DataView(new ArrayBuffer(ROOM));

/**
 * The first 8 bytes, read as two little-endian 32-bit words, of MurmurHash3_x86_128 (Austin Appleby, public domain) over
 * a kind byte followed by the UTF-8 of a text. Part of the protocol: every node, in any language, must compute the same.
 *
 * Halves of surrogate pairs standing alone count as U+FFFD, as in every UTF-8 encoder that replaces.
 */
export function murmur128(kind: number, text: string, seed: number): Hash {
  const view = text.length * 3 + 17 <= ROOM ? desk : new DataView(new ArrayBuffer(text.length * 3 + 17));
  return digest(view, write(view, kind, text), seed);
}

/** Writes the bytes and 16 zeros after them; returns how many bytes there are. Texts are nearly always ASCII. */
function write(view: DataView, kind: number, text: string): number {
  view.setUint8(0, kind);
  let length = text.length + 1;
  for (let i = 1; i < length; i++) {
    const code = text.charCodeAt(i - 1);
    if (code > 0x7f) {
      length = 1 + Buffer.from(view.buffer).write(text, 1, 'utf8');
      break;
    }
    view.setUint8(i, code);
  }
  view.setFloat64(length, 0);
  view.setFloat64(length + 8, 0);
  return length;
}

function digest(view: DataView, length: number, seed: number): Hash {
  let h1 = seed;
  let h2 = seed;
  let h3 = seed;
  let h4 = seed;
  const whole = length & ~15;
  for (let i = 0; i < whole; i += 16) {
    h1 = (Math.imul(rotate(h1 ^ k1(view, i), 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 = (Math.imul(rotate(h2 ^ k2(view, i), 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 = (Math.imul(rotate(h3 ^ k3(view, i), 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 = (Math.imul(rotate(h4 ^ k4(view, i), 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  // The last 0 to 15 bytes, with zeros after them: a word of zeros changes nothing, as the algorithm wants it.
  h1 ^= k1(view, whole) ^ length;
  h2 ^= k2(view, whole) ^ length;
  h3 ^= k3(view, whole) ^ length;
  h4 ^= k4(view, whole) ^ length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = avalanche(h2 + h1);
  h3 = avalanche(h3 + h1);
  h4 = avalanche(h4 + h1);
  h1 = (avalanche(h1) + h2 + h3 + h4) | 0;
  return { high: h1, low: (h2 + h1) | 0 };
}

function k1(view: DataView, at: number): number {
  return Math.imul(rotate(Math.imul(view.getInt32(at, true), C1), 15), C2);
}

function k2(view: DataView, at: number): number {
  return Math.imul(rotate(Math.imul(view.getInt32(at + 4, true), C2), 16), C3);
}

function k3(view: DataView, at: number): number {
  return Math.imul(rotate(Math.imul(view.getInt32(at + 8, true), C3), 17), C4);
}

function k4(view: DataView, at: number): number {
  return Math.imul(rotate(Math.imul(view.getInt32(at + 12, true), C4), 18), C1);
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function avalanche(sum: number): number {
  const x = sum | 0;
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
