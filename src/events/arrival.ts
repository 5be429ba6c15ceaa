import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { DomainEvent } from './rule.ts';

/** What one occurrence at a source means here: a domain event, several, or none. */
export type Mapped<E> = E | readonly E[] | undefined;

/**
 * Makes domain events of a value. What kind of value it is, its author may say more exactly than the source does. (The condition
 * holds always: it lets the compiler look at the rules first, and at this function with their events in mind.)
 */
export type Mapper<V, E> = [E] extends [infer F] ? { map(value: V): Mapped<F> }['map'] : never;

/** Where an event comes from. */
export interface Provenience {
  /** Events of one source are handled in order; those of several do not wait for each other. Default `'local'`. */
  readonly source?: string;
  /** The event's id at its source: the same one, if it comes again. Default: a number of the intake's own. */
  readonly id?: string;
}

/** Something that has arrived at an intake. */
export interface Arrival<E> {
  readonly source: string;
  readonly id: string;
  /** What is known of the events without failing. */
  readonly known: readonly E[] | undefined;
  /** The type of the first event, as far as it is known. */
  readonly type: string;
  /** Reads them again, where reading has failed before. @throws what the mapping throws; TidemarkError `INVALID_OPTION` */
  readonly events: () => readonly E[];
}

/** Reads what has arrived at once: its source may change it later. That this fails is heard of when its turn has come. */
export function arrival<E extends DomainEvent>(read: () => Mapped<E>, source: string, id: string): Arrival<E> {
  let known: readonly E[] | undefined;
  try {
    known = listOf(read());
  } catch {
    // Tried again in its turn, and reported there.
  }
  return { source, id, known, type: known?.[0]?.type ?? '', events: () => known ?? listOf(read()) };
}

function listOf<E extends DomainEvent>(mapped: Mapped<E>): readonly E[] {
  if (mapped === undefined) return [];
  const list: readonly E[] = Array.isArray(mapped) ? (mapped as readonly E[]) : [mapped as E];
  for (const event of list)
    if (typeof event !== 'object' || event === null || typeof event.type !== 'string')
      throw new TidemarkError(
        'INVALID_OPTION',
        `${shorten(event)} is no domain event: it has no type. Return { type, ... } from the mapping, several of them, or undefined for none.`,
      );
  return list;
}
