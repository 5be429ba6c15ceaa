import { shorten, TidemarkError } from '../coherence/errors.ts';

/** A mapping as pairs. @throws TidemarkError `INVALID_OPTION` */
export function checkMapping<F extends (...args: never[]) => unknown>(
  events: Readonly<Record<string, F | undefined>>,
  maker: string,
): readonly (readonly [string, F])[] {
  if (typeof events !== 'object' || events === null || Object.keys(events).length === 0)
    throw new TidemarkError(
      'INVALID_OPTION',
      `${maker}: events: ${shorten(events)} names no event. Give { name: (payload) => ({ type, ... }) }.`,
    );
  return Object.entries(events).map(([name, map]) => {
    if (typeof map === 'function') return [name, map] as const;
    throw new TidemarkError(
      'INVALID_OPTION',
      `${maker}: events: ${shorten(name)} is not a function. Give one from what arrives to domain events.`,
    );
  });
}
