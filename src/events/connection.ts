import type { Duration } from '../coherence/duration.ts';
import type { Intake, IntakeStatistics, Unhandled } from './intake.ts';
import type { Parked } from './intake-event.ts';
import type { DomainEvent } from './rule.ts';

/** A bus whose events are handed on. */
export interface Connection<E> {
  /** The events that were given up, oldest first. */
  parked(): readonly Parked<E>[];
  /** Tries those that are parked again, in their order. @returns how many were handled, and how many are parked now */
  retryParked(): Promise<{ handled: number; parked: number }>;
  statistics(): IntakeStatistics;
  /**
   * Hears nothing more, and lets what waits be handled, for at most `drain` (default `'1s'`). What a bus in this process has
   * brought, and was not handled by then, is covered by everything. The bus itself stays open.
   */
  close(options?: { readonly drain?: Duration }): Promise<Unhandled>;
}

/** @param leave stops listening to the bus */
export function connection<E extends DomainEvent>(intake: Intake<E>, leave: () => unknown): Connection<E> {
  let closing: Promise<Unhandled> | undefined;
  const close = async (options?: { readonly drain?: Duration }): Promise<Unhandled> => {
    let left: Unhandled;
    try {
      await leave();
    } finally {
      left = await intake.close(options); // Whatever the bus says to it.
    }
    return left;
  };
  return {
    parked: () => intake.parked(),
    retryParked: () => intake.retryParked(),
    statistics: () => intake.statistics(),
    close: (options) => {
      closing ??= close(options);
      return closing;
    },
  };
}
