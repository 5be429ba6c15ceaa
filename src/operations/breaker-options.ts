import { hostname } from 'node:os';
import type { IBreaker } from 'cockatiel';
import { milliseconds } from '../coherence/duration.ts';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { type BreakerBoard, type Clock, type Duration, type Logger, systemClock } from '../index.ts';
import { type TripOptions, tripMaker } from './breaker-trip.ts';

/** Options of `createBreaker`. Only `name` is required. */
export interface BreakerOptions {
  /** Of the dependency, such as `'billing'`. On a board, breakers of one name are one. At most 200 characters. */
  readonly name: string;
  /** Where the fleet shares what it finds: `cache.breakers`. Default: nowhere, each process finds out for itself. */
  readonly board?: BreakerBoard;
  /** When it opens, default `{ inARow: 5 }`: after so many failures one after the other. Each process counts its own. */
  readonly opens?: TripOptions;
  /** After so long without an outcome earlier ones count no more, default `'1m'`. */
  readonly forget?: Duration;
  /** How long it stays open before one call of the fleet is let through to find out, default `'10s'`. */
  readonly openFor?: Duration;
  /**
   * A call that has not ended by then counts as failed, default `'10s'`; whoever made it goes on waiting. Also how long the others
   * wait for a process that died while it was finding out, and a second.
   */
  readonly timeout?: Duration;
  /** Whether what a call rejected with says that the dependency is ill; default: always. Others count as answers. */
  readonly isFailure?: (error: unknown) => boolean;
  /** How this process is called in `openedBy` and in errors; default: host name and process id. */
  readonly node?: string;
  /** A pino logger, or anything with its `debug`, `info`, `warn` and `error`. */
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** {@link BreakerOptions}, checked and complete, in milliseconds. */
export interface BreakerSettings {
  readonly name: string;
  readonly board: BreakerBoard | undefined;
  readonly makeTrip: () => IBreaker;
  readonly forget: number;
  readonly openFor: number;
  readonly timeout: number;
  readonly isFailure: (error: unknown) => boolean;
  readonly node: string;
  readonly logger: Logger | undefined;
  readonly clock: Clock;
}

/** By their type no name can be missing. */
const KNOWN: Record<keyof BreakerOptions, true> = {
  name: true,
  board: true,
  opens: true,
  forget: true,
  openFor: true,
  timeout: true,
  isFailure: true,
  node: true,
  logger: true,
  clock: true,
};

/** Longest name: it is part of a key on a server. */
const LONGEST = 200;

/** @throws TidemarkError `INVALID_OPTION`, naming the option and the cure */
export function breakerSettings(options: BreakerOptions): BreakerSettings {
  const name: unknown = options?.name;
  if (typeof name !== 'string' || name === '' || name.length > LONGEST)
    throw new TidemarkError(
      'INVALID_OPTION',
      `name: ${shorten(name)} is not a name of 1 to ${LONGEST} characters. Name the dependency: createBreaker({ name: 'billing' }).`,
    );
  checkKnown(options, Object.keys(KNOWN), 'createBreaker');
  const { board, isFailure = always, node = `${hostname()}:${process.pid}` } = options;
  checkBoard(board);
  if (typeof isFailure !== 'function')
    throw new TidemarkError('INVALID_OPTION', `isFailure: ${shorten(isFailure)} is not a function of an error.`);
  if (typeof node !== 'string' || node === '')
    throw new TidemarkError('INVALID_OPTION', `node: ${shorten(node)} is not a name. Leave it out, or give a text.`);
  return {
    ...{ name, board, isFailure, node },
    makeTrip: tripMaker(options.opens ?? { inARow: 5 }),
    forget: milliseconds(options.forget ?? '1m', 'forget'),
    openFor: atLeastOne(options.openFor ?? '10s', 'openFor'),
    timeout: atLeastOne(options.timeout ?? '10s', 'timeout'),
    logger: options.logger,
    clock: options.clock ?? systemClock,
  };
}

function checkBoard(board: BreakerBoard | undefined): void {
  if (board === undefined) return;
  const known = typeof board === 'object' && board !== null && typeof board.claim === 'function';
  if (!known)
    throw new TidemarkError(
      'INVALID_OPTION',
      `board: ${shorten(board)} is no board. Give cache.breakers; around a cache's own store, redis({ url }).breakers(context).`,
    );
}

function atLeastOne(value: Duration, option: string): number {
  const ms = milliseconds(value, option);
  if (ms >= 1) return ms;
  throw new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is no time at all. Give at least 1 ms.`);
}

function always(): boolean {
  return true;
}
