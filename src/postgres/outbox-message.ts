import { shorten, TidemarkError } from '../coherence/errors.ts';
import { type Coverage, coverageOf, type Draft } from '../coherence/record.ts';
import { everything } from '../coherence/target.ts';
import { decodeRecord, encodeDraft } from '../coherence/wire.ts';

/** A row's message, and why everything stands in its stead where it could not be read. */
export interface OutboxMessage {
  readonly draft: Draft;
  readonly undecodable: Error | undefined;
}

/**
 * Reads what a transaction has written down. Whoever may insert a row must not be able to stop the relay with it, nor to do more
 * than to invalidate.
 *
 * @param stand makes the draft that stands in for what cannot be read
 */
export function outboxMessage(bytes: Uint8Array, stand: (coverage: Coverage) => Draft): OutboxMessage {
  try {
    const { record, unreadable } = decodeRecord(bytes);
    if (unreadable !== undefined) throw unreadable;
    if (record.kind !== 'invalidate' && record.kind !== 'everything')
      throw new TidemarkError('INVALID_RECORD', `An outbox holds no record of kind ${shorten(record.kind)}.`);
    // What cannot be sent would be tried for ever.
    encodeDraft(record);
    return { draft: record, undecodable: undefined };
  } catch (error) {
    return { draft: stand(coverageOf([everything()])), undecodable: error as Error };
  }
}
