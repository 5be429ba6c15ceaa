import type { Label } from '../coherence/label.ts';
import type { LogOptions } from '../coherence/log.ts';

/** The shape of a tide table. */
export type TableShape = Pick<LogOptions, 'slots' | 'hashes'>;

/** The slots of labels as u32s, little-endian, as the scripts read them; see `TideTable.newest` for which they are. */
export function packSlots(labels: readonly Label[], shape: TableShape): Uint8Array {
  const bytes = Buffer.alloc(labels.length * shape.hashes * 4);
  writeSlots(bytes, 0, labels, shape);
  return bytes;
}

/** Writes them at an offset, and returns the offset behind them. */
export function writeSlots(
  bytes: Buffer,
  offset: number,
  labels: readonly Label[],
  { slots, hashes }: TableShape,
): number {
  const mask = slots - 1;
  let at = offset;
  for (const { high, low } of labels) {
    const step = low | 1;
    for (let i = 0, slot = high & mask; i < hashes; i++, slot = (slot + step) & mask)
      at = bytes.writeUInt32LE(slot, at);
  }
  return at;
}
