/** A time from `start` to before `end`, both as `Date.toISOString()` writes them, so that texts compare as times do. */
export interface Interval {
  readonly start: string;
  readonly end: string;
}

/** The day that a time is on, in UTC, such as `2026-03-02`. */
export function dayOf(time: string): string {
  return time.slice(0, 10);
}

/** @returns the interval of so many minutes from `start` on, or `undefined` where that is no time */
export function intervalFrom(start: string, minutes: number): Interval | undefined {
  const from = Date.parse(start);
  if (Number.isNaN(from)) return undefined;
  return { start: new Date(from).toISOString(), end: new Date(from + minutes * 60_000).toISOString() };
}

export function overlaps(a: Interval, b: Interval): boolean {
  return a.start < b.end && b.start < a.end;
}

/** What is left of the working hours, in order. */
export function freeTime(hours: Interval | undefined, busy: readonly Interval[]): Interval[] {
  if (hours === undefined) return [];
  const free: Interval[] = [];
  let from = hours.start;
  for (const { start, end } of [...busy].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    if (start > from) free.push({ start: from, end: start < hours.end ? start : hours.end });
    if (end > from) from = end;
    if (from >= hours.end) return free;
  }
  free.push({ start: from, end: hours.end });
  return free;
}

/** When something of so many minutes may begin: every 15 minutes of what is free. */
export function startsIn(free: readonly Interval[], minutes: number): string[] {
  const step = 15 * 60_000;
  return free.flatMap(({ start, end }) => {
    const starts: string[] = [];
    const last = Date.parse(end) - minutes * 60_000;
    for (let at = Math.ceil(Date.parse(start) / step) * step; at <= last; at += step)
      starts.push(new Date(at).toISOString());
    return starts;
  });
}
