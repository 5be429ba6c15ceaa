import type { WalMessage } from './wal-message.ts';

/** What is read, and by whom. */
export interface WalStreamOptions {
  readonly slot: string;
  readonly publication: string;
  /** What the server knows the connection by. */
  readonly application: string;
}

/** Hears of what a stream says. It does not answer: the stream does not wait. */
export interface WalStreamListener {
  message(message: WalMessage): void;
  /** Everything that was committed before this position was sent. */
  reached(lsn: bigint): void;
  /** Called once, when the stream has ended, for whatever reason but {@link WalStream.stop}. */
  ended(cause: unknown): void;
}

/** A slot that is being read. */
export interface WalStream {
  /** The server may forget what was committed before this position. Said again every second, so that it knows that we are here. */
  acknowledge(lsn: bigint): void;
  stop(): Promise<void>;
}

/**
 * Begins to read a slot from what it has acknowledged. It does not promise that a transaction comes once, nor that it is visible to
 * anybody when it comes, nor that the server has heard of an acknowledgement.
 *
 * There is no back pressure beyond the socket's: messages are taken in the turn in which they are read, and who takes them keeps
 * a bounded amount.
 *
 * @param acknowledged what is acknowledged until more is
 * @throws what the server answers; TidemarkError `INVALID_OPTION` where a package is not installed
 */
export type OpenWalStream = (
  options: WalStreamOptions,
  acknowledged: bigint,
  listener: WalStreamListener,
) => Promise<WalStream>;
