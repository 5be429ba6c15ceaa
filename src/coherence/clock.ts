/** Ends what was scheduled; harmless when it has run already. */
export type Cancel = () => void;

/**
 * Time, as the library sees it. Passed in, so that tests and the simulation own it.
 *
 * It does not promise that the two clocks agree, that either advances while the machine is suspended, or that a wall
 * clock never goes back. Nothing in the library orders events by comparing the clocks of two machines.
 */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  monotonic(): number;
  /** Milliseconds since 1970, as the machine believes. */
  wall(): number;
  /** Runs `run` once, `ms` milliseconds from now or later. It must not keep the process alive. */
  schedule(ms: number, run: () => void): Cancel;
}
