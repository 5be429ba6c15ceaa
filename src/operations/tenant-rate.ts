import { OTHER } from './label-values.ts';

const MINUTE = 60_000;
const STEP = 5_000;
/** Tenants that are told apart within a step. */
const MOST_KNOWN = 1_000;

interface Step {
  readonly since: number;
  readonly counts: Map<string, number>;
}

/** How often something happened to each tenant in the last minute, to within five seconds. */
export class TenantRate {
  readonly #named: number;
  #steps: Step[] = [];

  /** @param named how many tenants are named: those that it happened to most */
  constructor(named: number) {
    this.#named = named;
  }

  /** @param now a monotonic clock, in ms */
  add(tenant: string, now: number): void {
    let step = this.#steps.at(-1);
    if (step === undefined || now - step.since >= STEP) {
      step = { since: now, counts: new Map() };
      this.#forget(now);
      this.#steps.push(step);
    }
    const { counts } = step;
    const name = counts.has(tenant) || counts.size < MOST_KNOWN ? tenant : OTHER;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  /** Most first. */
  lastMinute(now: number): Record<string, number> {
    this.#forget(now);
    const sums = new Map<string, number>();
    for (const { counts } of this.#steps)
      for (const [tenant, count] of counts) sums.set(tenant, (sums.get(tenant) ?? 0) + count);
    let rest = sums.get(OTHER) ?? 0;
    sums.delete(OTHER);
    const sorted = [...sums].toSorted(([, a], [, b]) => b - a);
    for (const [, count] of sorted.slice(this.#named)) rest += count;
    return Object.fromEntries([...sorted.slice(0, this.#named), ...(rest > 0 ? [[OTHER, rest] as const] : [])]);
  }

  #forget(now: number): void {
    this.#steps = this.#steps.filter(({ since }) => now - since < MINUTE);
  }
}
