/**
 * A clock that all processes of one machine share: milliseconds since `origin`, a value of `process.hrtime.bigint()`,
 * which Linux counts from the start of the machine.
 */
export function sharedClock(origin: bigint): () => number {
  return () => Number(process.hrtime.bigint() - origin) / 1e6;
}
