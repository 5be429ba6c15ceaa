/**
 * A clock that all processes of one machine share: milliseconds since `origin`, a value of `process.hrtime.bigint()`,
 * which Linux counts from the start of the machine.
 */
export function sharedClock(origin: bigint): () => number {
  return () => Number(process.hrtime.bigint() - origin) / 1e6;
}

/**
 * How far the wall clock is ahead of a shared clock, in ms. It holds until somebody sets the wall clock.
 *
 * @param now the shared clock
 */
export function wallOffset(now: () => number): number {
  let offset = Number.NEGATIVE_INFINITY;
  // The wall clock tells whole milliseconds: the largest difference is that of the moment at which one begins.
  for (let i = 0, until = now() + 5; i < 1_000 || now() < until; i++) offset = Math.max(offset, Date.now() - now());
  return offset;
}
