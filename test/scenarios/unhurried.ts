import type { HealthOptions } from '../../src/operations/index.ts';

/** What counts as healthy where the machine is busy with tests, which makes it slow, and the test is not about that. */
export const UNHURRIED = {
  thresholds: {
    latencyP95: { degraded: 60_000, critical: 60_000 },
    eventLoop: { degraded: 60_000, critical: 60_000 },
    lag: { degraded: 1_000, critical: 1_000 },
  },
} satisfies HealthOptions;
