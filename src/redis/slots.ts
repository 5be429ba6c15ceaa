import { ByteWriter } from '../coherence/byte-writer.ts';
import type { Label } from '../coherence/label.ts';
import type { LogOptions } from '../coherence/log.ts';

/** The shape of a tide table. */
export type TableShape = Pick<LogOptions, 'slots' | 'hashes'>;

/** The slots of labels as u32s, little-endian, as the scripts read them; see `TideTable.newest` for which they are. */
export function packSlots(labels: readonly Label[], shape: TableShape): Uint8Array {
  const writer = new ByteWriter(labels.length * shape.hashes * 4, 'INVALID_RECORD');
  writeSlots(writer, labels, shape);
  return writer.done();
}

/** Writes them behind what a writer has. */
export function writeSlots(writer: ByteWriter, labels: readonly Label[], { slots, hashes }: TableShape): void {
  const mask = slots - 1;
  for (const { high, low } of labels) {
    const step = low | 1;
    for (let i = 0, slot = high & mask; i < hashes; i++, slot = (slot + step) & mask) writer.u32(slot);
  }
}
