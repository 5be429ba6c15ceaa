import type { Guard } from '../../src/coherence/guards.ts';
import { check, type Violation } from './checker.ts';
import type { Counts } from './coverage.ts';
import type { GuardProfile } from './guard-profile.ts';
import { GUARD_PROFILES } from './guard-profiles.ts';
import type { History } from './history.ts';
import { type Profile, USUAL } from './profile.ts';
import { OUTER_GUARDS, type OuterGuard } from './server-guards.ts';
import { simulate } from './simulation.ts';

/** A guard of the library, or one of those outside of it. */
export type AnyGuard = Guard | OuterGuard;

/** One run with its verdict. */
export interface Trial {
  readonly history: History;
  readonly counts: Counts;
  readonly violations: readonly Violation[];
}

/** Runs one seed with some guards taken out, and checks its history. */
export async function tryOut(seed: number, profile: Profile, without: readonly AnyGuard[] = []): Promise<Trial> {
  const outer = new Set(without.filter((guard): guard is OuterGuard => isOuter(guard)));
  const removed = new Set(without.filter((guard): guard is Guard => !isOuter(guard)));
  const { history, counts } = await simulate(seed, { profile, removed, outer });
  return { history, counts, violations: check(history.facts) };
}

/** The profile of this name: `usual`, or that of a guard. @throws Error with the names there are */
export function profileNamed(name: string): Profile {
  const found = [USUAL, ...GUARD_PROFILES.map((it) => it.profile)].find((profile) => profile.name === name);
  if (found === undefined) {
    const names = GUARD_PROFILES.map((it: GuardProfile) => it.profile.name).join(', ');
    throw new Error(`--profile: there is no profile ${name}. Give one of: usual, ${names}`);
  }
  return found;
}

function isOuter(guard: AnyGuard): guard is OuterGuard {
  return (OUTER_GUARDS as readonly string[]).includes(guard);
}
