import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { DomainEvent } from './rule.ts';

/**
 * The switch of an event. `'on'`: its rules invalidate. `'shadow'`: they are asked, and what they would invalidate is measured.
 * `'off'`: they are not asked.
 */
export type Mode = 'on' | 'shadow' | 'off';

/** A mode for each event that is not on. */
export type Modes<E extends DomainEvent> = { readonly [K in E['type']]?: Mode };

/** Modes that may change while the service runs: asked for each event. `undefined` leaves it to the strategy, which is on. */
export type ModeSwitch<E extends DomainEvent> = (type: E['type']) => Mode | undefined;

const MODES: readonly unknown[] = ['on', 'shadow', 'off'] satisfies Mode[];

export function isMode(value: unknown): value is Mode {
  return MODES.includes(value);
}

/** What is given as modes, asked by the type of an event. No type finds what every object has. */
export function modeSwitch(modes: object | ((type: never) => unknown)): (type: string) => unknown {
  if (typeof modes === 'function') return modes as (type: string) => unknown;
  const given = new Map<string, unknown>(Object.entries(modes));
  return (type) => given.get(type);
}

/** @throws TidemarkError `INVALID_OPTION` for what is no mode, and for an event that has no rule */
export function checkModes(modes: object, events: ReadonlySet<string>): void {
  for (const [type, mode] of Object.entries(modes)) {
    if (mode !== undefined && !isMode(mode)) throw notMode(type, mode);
    if (events.has(type)) continue;
    throw new TidemarkError(
      'INVALID_OPTION',
      `modes: ${shorten(type)} has no rule that could be switched. Known are ${[...events].join(', ')}.`,
    );
  }
}

export function notMode(type: string, mode: unknown): TidemarkError {
  return new TidemarkError(
    'INVALID_OPTION',
    `modes: ${shorten(mode)} for ${shorten(type)} is none of on, shadow, off.`,
  );
}
