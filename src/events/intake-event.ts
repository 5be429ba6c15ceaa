import { shorten } from '../coherence/errors.ts';
import type { Logger } from '../coherence/logger.ts';

/** An event that was given up, after its retries. Kept until it is retried by hand or comes again, see `Intake.retryParked`. */
export interface Parked<E> {
  readonly source: string;
  /** The event's id at its source; without one, a number of the intake's own. */
  readonly id: string;
  /** `undefined` where what arrived could not be read as events. */
  readonly events: readonly E[] | undefined;
  /** What the last attempt has failed with. */
  readonly error: unknown;
  /** Whether everything was covered in its place: then nothing stale is served for want of it. */
  readonly covered: boolean;
  /** By the wall clock, in ms since 1970; for people. */
  readonly since: number;
}

/** What an intake has to tell; everything that is not as it should be is among it. */
export type IntakeEvent<E> =
  | { readonly type: 'handled'; readonly source: string; readonly id: string; readonly events: readonly E[] }
  /** An attempt has failed; another follows if `again`. */
  | {
      readonly type: 'failed';
      readonly source: string;
      readonly id: string;
      readonly attempt: number;
      readonly again: boolean;
      readonly error: unknown;
    }
  | { readonly type: 'parked'; readonly parked: Parked<E> }
  /** There was no room for more parked events: the oldest has left. Not covered means that its invalidation is lost. */
  | { readonly type: 'unparked'; readonly parked: Parked<E> }
  /** Too many events waited, and were given up at once. */
  | { readonly type: 'overflowed'; readonly count: number; readonly covered: boolean }
  /** The source may have lost events. */
  | { readonly type: 'gap'; readonly source: string; readonly cause: unknown; readonly covered: boolean }
  /** The source brings nothing any more, though it was not closed here. */
  | { readonly type: 'ended'; readonly source: string; readonly cause: unknown }
  /** Something came that the mapping does not name; told once for each name. */
  | { readonly type: 'unmapped'; readonly source: string; readonly name: string }
  /** A request was not taken; `cause` where that is no fault of its sender. */
  | { readonly type: 'refused'; readonly status: number; readonly detail: string; readonly cause?: unknown }
  /** Closed before these were handled. */
  | { readonly type: 'closed'; readonly unhandled: number; readonly covered: boolean };

/** Writes down what people have to know of. */
export function logIntake(logger: Logger, event: IntakeEvent<unknown>): void {
  switch (event.type) {
    case 'handled':
      return logger.debug({ event: 'intake_handled', source: event.source, id: event.id }, 'intake_handled');
    case 'failed':
      return logger.warn(
        { event: 'intake_failed', source: event.source, id: event.id, attempt: event.attempt, err: event.error },
        `intake_failed: an event was not handled${event.again ? ', and is tried again' : ''}`,
      );
    case 'parked': {
      const { source, id, error, covered } = event.parked;
      return logger.error(
        { event: 'intake_parked', source, id, covered, err: error },
        `intake_parked: an event was given up; ${instead(covered)}`,
      );
    }
    case 'unparked': {
      const { source, id, covered } = event.parked;
      return logger.error(
        { event: 'intake_unparked', source, id, covered },
        `intake_unparked: no room for more parked events, and the oldest is gone; ${instead(covered)}`,
      );
    }
    case 'overflowed':
      return logger.error(
        { event: 'intake_overflow', count: event.count, covered: event.covered },
        `intake_overflow: too many events waited and were given up; ${instead(event.covered)}`,
      );
    case 'gap':
      return logger.error(
        { event: 'intake_gap', source: event.source, covered: event.covered, err: event.cause },
        `intake_gap: the source may have lost events; ${instead(event.covered)}`,
      );
    case 'ended':
      return logger.error(
        { event: 'intake_ended', source: event.source, err: event.cause },
        'intake_ended: the source brings no events any more',
      );
    case 'unmapped':
      return logger.warn(
        { event: 'intake_unmapped', source: event.source, name: event.name },
        `intake_unmapped: no event is named for ${shorten(event.name)}; it is passed over`,
      );
    case 'refused':
      return logger[event.status < 500 ? 'info' : 'warn'](
        { event: 'intake_refused', status: event.status, err: event.cause },
        `intake_refused: ${event.detail}`,
      );
    case 'closed':
      return logger.warn(
        { event: 'intake_closed', unhandled: event.unhandled, covered: event.covered },
        `intake_closed: events were not handled; ${instead(event.covered)}`,
      );
    default:
      return event satisfies never;
  }
}

function instead(covered: boolean): string {
  return covered ? 'everything was covered instead' : 'what it makes stale may still be served';
}
