import { CircuitState, ConsecutiveBreaker, CountBreaker, type IBreaker } from 'cockatiel';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';

/**
 * When a breaker opens: after so many failures in a row; or when more than a `share` of the last `of` calls have failed, once there
 * are `least` of them (default: all of them).
 */
export type TripOptions =
  | { readonly inARow: number }
  | { readonly share: number; readonly of: number; readonly least?: number };

/** @throws TidemarkError `INVALID_OPTION` */
export function tripMaker(options: TripOptions): () => IBreaker {
  if (typeof options !== 'object' || options === null || !('inARow' in options || 'share' in options))
    throw new TidemarkError(
      'INVALID_OPTION',
      `opens: ${shorten(options)} does not say when. Give { inARow: 5 }, or { share: 0.5, of: 20 }.`,
    );
  if ('inARow' in options) {
    checkKnown(options, ['inARow'], 'opens');
    const inARow = count(options.inARow, 'opens.inARow');
    return () => new ConsecutiveBreaker(inARow);
  }
  checkKnown(options, ['share', 'of', 'least'], 'opens');
  const { share: threshold } = options;
  if (typeof threshold !== 'number' || !(threshold > 0 && threshold < 1))
    throw new TidemarkError('INVALID_OPTION', `opens.share: ${shorten(threshold)} is not between 0 and 1. Give 0.5.`);
  const size = count(options.of, 'opens.of');
  const minimumNumberOfCalls = count(options.least ?? size, 'opens.least');
  if (minimumNumberOfCalls > size)
    throw new TidemarkError(
      'INVALID_OPTION',
      `opens.least: ${minimumNumberOfCalls} calls are never among the last ${size}. Give at most as many as \`of\`.`,
    );
  return () => new CountBreaker({ threshold, size, minimumNumberOfCalls });
}

function count(value: number, option: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is not a positive whole number.`);
}

/**
 * Decides from outcomes whether it is time to open, by a strategy of cockatiel's that counts calls. Those of its strategies that count
 * by time read the machine's clock; here what is older than a quiet stretch is forgotten, by the clock that is passed in.
 */
export class BreakerTrip {
  readonly #make: () => IBreaker;
  readonly #forget: number;
  #strategy: IBreaker;
  #last = 0;

  /** @param forget after so many ms without an outcome, earlier ones count no more */
  constructor(make: () => IBreaker, forget: number) {
    this.#make = make;
    this.#forget = forget;
    this.#strategy = make();
  }

  succeeded(now: number): void {
    this.#at(now).success(CircuitState.Closed);
  }

  /** @returns whether to open */
  failed(now: number): boolean {
    return this.#at(now).failure(CircuitState.Closed);
  }

  reset(): void {
    this.#strategy = this.#make();
  }

  #at(now: number): IBreaker {
    if (now - this.#last > this.#forget) this.reset();
    this.#last = now;
    return this.#strategy;
  }
}
