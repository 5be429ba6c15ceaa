/** A label as docs/protocol.md describes it; written from the page, with nothing of the library. */
export interface Label {
  readonly high: number;
  readonly low: number;
}

const SEED = 0x65646974n;
const WORD = 0xffffffffn;
const FACTORS = [0x239b961bn, 0xab0e9789n, 0x38b34ae5n, 0xa1e38b93n];
const TURNS = [15n, 16n, 17n, 18n];
const STEPS = [
  { turn: 19n, add: 0x561ccd1bn },
  { turn: 17n, add: 0x0bcaa747n },
  { turn: 15n, add: 0x96cd1c35n },
  { turn: 13n, add: 0x32ac3b17n },
];

export function keyLabel(key: string): Label {
  return labelOf('k', key);
}

export function tagLabel(tag: string): Label {
  return labelOf('t', tag);
}

/** The label of a key and those of the keys above it; `key` has no escapes. */
export function pathLabels(key: string): Label[] {
  const segments = key.split(':');
  return segments.map((_, i) => keyLabel(segments.slice(0, i + 1).join(':')));
}

function labelOf(kind: 'k' | 't', text: string): Label {
  const [high = 0n, low = 0n] = murmur(Buffer.from(kind + text));
  return { high: Number(high), low: Number(low) };
}

/** MurmurHash3_x86_128: four words. */
function murmur(bytes: Buffer): bigint[] {
  let hash = [SEED, SEED, SEED, SEED];
  const padded = Buffer.concat([bytes, Buffer.alloc(16)]);
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at <= whole; at += 16) {
    for (const [i, factor] of FACTORS.entries()) {
      const word = BigInt(padded.readUInt32LE(at + 4 * i));
      const turned = rotated((word * factor) & WORD, TURNS[i] as bigint);
      hash[i] = (hash[i] as bigint) ^ ((turned * (FACTORS[(i + 1) % 4] as bigint)) & WORD);
      if (at === whole) continue; // What is left over is mixed in, and no more.
      const { turn, add } = STEPS[i] as (typeof STEPS)[number];
      hash[i] = ((rotated(hash[i], turn) + (hash[(i + 1) % 4] as bigint)) * 5n + add) & WORD;
    }
  }
  hash = spread(hash.map((word) => word ^ BigInt(bytes.length)));
  return spread(hash.map(finished));
}

function spread([first = 0n, ...others]: readonly bigint[]): bigint[] {
  const sum = others.reduce((total, word) => total + word, first) & WORD;
  return [sum, ...others.map((word) => (word + sum) & WORD)];
}

function finished(word: bigint): bigint {
  const once = ((word ^ (word >> 16n)) * 0x85ebca6bn) & WORD;
  const twice = ((once ^ (once >> 13n)) * 0xc2b2ae35n) & WORD;
  return twice ^ (twice >> 16n);
}

function rotated(word: bigint, turns: bigint): bigint {
  return ((word << turns) | (word >> (32n - turns))) & WORD;
}
