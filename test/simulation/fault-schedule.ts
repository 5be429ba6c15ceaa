import { type FaultKind, isOfCapture } from './fault-kind.ts';
import type { Fleet } from './fleet.ts';
import { strike } from './strike.ts';

/** Draws when which fault strikes a fleet while it is busy. */
export function scheduleFaults(fleet: Fleet): void {
  const { plan, random, scheduler } = fleet.world;
  const kinds = (Object.keys(plan.profile.faults) as FaultKind[]).filter((it) => plan.capture || !isOfCapture(it));
  if (kinds.length === 0) return;
  const weights = kinds.map((kind) => plan.profile.faults[kind] ?? 0);
  for (let i = 0; i < plan.faults; i++) {
    const kind = kinds[random.weighted(weights)] as FaultKind;
    // A killed process cannot close its cache, and what bypass has set up would slow down all later runs.
    if (plan.bypass && kind === 'kill') continue;
    scheduler.at(random.between(0.1, 0.95) * fleet.busyFor, () => strike(fleet, kind));
  }
}
