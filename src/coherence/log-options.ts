import { type Duration, milliseconds } from './duration.ts';
import { TidemarkError, shorten } from './errors.ts';
import type { LogOptions } from './log.ts';
import { checkTable, DEFAULT_HASHES, DEFAULT_SLOTS } from './tide-table.ts';

/** {@link LogOptions} as users give them. */
export interface LogSettings {
  /** Slots of the tide table, a power of two. Default 2^18, 2 MiB. */
  readonly slots?: number;
  /** Slots per label. Default 3. */
  readonly hashes?: number;
  /** Default `'2s'`, at least `'500ms'`. */
  readonly maxLag?: Duration;
  /** Default `'24h'`, at least `'1m'`. */
  readonly maxLife?: Duration;
}

/** @throws TidemarkError `INVALID_OPTION` */
export function logOptions(settings: LogSettings = {}): LogOptions {
  const { slots = DEFAULT_SLOTS, hashes = DEFAULT_HASHES } = settings;
  checkTable(slots, hashes);
  return {
    slots,
    hashes,
    maxLag: atLeast(settings.maxLag ?? '2s', 500, 'maxLag'),
    maxLife: atLeast(settings.maxLife ?? '24h', 60_000, 'maxLife'),
  };
}

function atLeast(value: Duration, least: number, option: string): number {
  const ms = milliseconds(value, option);
  if (ms >= least) return ms;
  throw new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is too short. Give at least ${least} ms.`);
}
