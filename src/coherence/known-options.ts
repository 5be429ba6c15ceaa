import { shorten, TidemarkError } from './errors.ts';

/**
 * Refuses options that nobody reads: a misspelt one would otherwise be a default, silently.
 *
 * @param where whose options they are, for the message
 * @throws TidemarkError `INVALID_OPTION`, with the name that was probably meant, or all names
 */
export function checkKnown(given: object, known: readonly string[], where: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const meant = known.find((it) => it.toLowerCase() === name.toLowerCase());
    const cure = meant === undefined ? `Known are ${known.join(', ')}` : `Write ${meant}`;
    throw new TidemarkError('INVALID_OPTION', `${where}: there is no option ${shorten(name)}. ${cure}.`);
  }
}
