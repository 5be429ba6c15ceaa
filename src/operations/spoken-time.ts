const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** A duration as people say it: `3.2 s`, `250 ms`. */
export function spokenDuration(ms: number): string {
  const [unit, name] = UNITS.find(([length]) => Math.abs(ms) >= length) ?? [1, 'ms'];
  const value = ms / unit;
  return `${Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ${name}`;
}

/** A moment as people read it, whatever zone they are in: `2025-11-21 12:00:01.250 UTC`. @param at ms since 1970 */
export function spokenMoment(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC');
}
