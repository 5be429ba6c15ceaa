/** What is not known. No cell of a table is empty, so that what is piped can be split. */
export const UNKNOWN = '-';

type Known = number | null | undefined;

const known = (value: Known): value is number => typeof value === 'number' && Number.isFinite(value);

/** @param share 0 to 1 */
export function percent(share: Known): string {
  return known(share) ? `${(share * 100).toFixed(1)}%` : UNKNOWN;
}

/** @param ms milliseconds, such as a latency, an age or a lag */
export function time(ms: Known): string {
  if (!known(ms)) return UNKNOWN;
  const size = Math.abs(ms);
  if (size < 10) return `${Number(ms.toFixed(2))}ms`;
  if (size < 1_000) return `${Math.round(ms)}ms`;
  if (size < 60_000) return `${Number((ms / 1_000).toFixed(1))}s`;
  if (size < 3_600_000) return `${Number((ms / 60_000).toFixed(1))}m`;
  return `${Number((ms / 3_600_000).toFixed(1))}h`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export function size(bytes: Known): string {
  if (!known(bytes)) return UNKNOWN;
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1_000 ** power).toFixed(1))}${UNITS[power]}`;
}

export function count(number: Known): string {
  return known(number) ? String(Math.round(number)) : UNKNOWN;
}

/** Something per second, or per minute. */
export function rate(number: Known): string {
  if (!known(number)) return UNKNOWN;
  return number >= 10 || number === 0 ? String(Math.round(number)) : number.toFixed(1);
}

/** A date as people at this machine read it, and so precise that two events can be told apart. */
export function clock(at: Known): string {
  return known(at) ? new Date(at).toISOString() : UNKNOWN;
}
