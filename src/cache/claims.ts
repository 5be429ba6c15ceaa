import type { RemovedGuards } from '../coherence/guards.ts';
import type { Position } from '../coherence/position.ts';
import { positionOf } from '../coherence/receipt.ts';
import type { View } from '../coherence/view.ts';
import type { Entry } from './entry.ts';
import type { ReadRequest } from './read-request.ts';
import type { Claim } from './session.ts';
import { Sights } from './sights.ts';

export interface ClaimsParts {
  readonly view: View;
  /** The next place in the one order of readers and loads of this process. */
  readonly now: () => number;
  readonly removed: RemovedGuards;
}

export const NO_CLAIMS: readonly Claim[] = [];

/** What readers are held to by their tokens, and whether this node, or an entry that it has, meets it. */
export class Claims {
  readonly #view: View;
  readonly #sights: Sights;
  readonly #removed: RemovedGuards;

  constructor({ view, now, removed }: ClaimsParts) {
    this.#view = view;
    this.#sights = new Sights(now, removed);
    this.#removed = removed;
  }

  /** The largest of the positions; `undefined` where one of the claims has none in this epoch. */
  positionHere(claims: readonly Claim[]): Position | undefined {
    const { epoch } = this.#view;
    let number = 0;
    for (const claim of claims) {
      if (claim.epoch === '' || (claim.epoch !== epoch && !this.#removed.has('tokenEpoch'))) return undefined;
      number = Math.max(number, claim.number);
    }
    return { epoch, number };
  }

  /**
   * The place after which a load has read what all of these claims are about, whatever they are: their writes were made before
   * their tokens came here. So a token of another epoch, or of a write that is queued somewhere, costs a load of each key on each
   * node, and not a load of each read.
   *
   * @param least where that is later
   */
  since(claims: readonly Claim[], least: number): number {
    return claims.reduce((latest, { token }) => Math.max(latest, this.#sights.of(token)), least);
  }

  /** Whether an entry is new enough, as far as tokens go. On the way of every hit in a session: it allocates nothing. */
  suit(entry: Entry, claims: readonly Claim[], since: number): boolean {
    if (!isSourced(entry, since)) return false;
    const { epoch, applied } = this.#view;
    for (const claim of claims) {
      if (claim.epoch === epoch && epoch !== '' && applied >= claim.number) continue;
      return isSourced(entry, this.since(claims, since));
    }
    return true;
  }
}

/** What somebody is held to by the tokens that came with the reading. */
export function claimsOf({ settings: { atLeast }, scope }: ReadRequest): readonly Claim[] {
  const claims = scope?.session?.claims ?? NO_CLAIMS;
  if (atLeast === undefined) return claims;
  const position = positionOf(atLeast);
  const token = typeof atLeast === 'object' ? atLeast.token : atLeast;
  return [...claims, position === undefined ? { token, epoch: '', number: 0 } : { token, ...position }];
}

/** Whether a reader has asked for nothing older than something: then it tolerates nothing. */
export function isHeld(request: ReadRequest): boolean {
  const { settings, scope } = request;
  if (settings.atLeast !== undefined) return true;
  return scope !== undefined && (scope.since > 0 || (scope.session !== undefined && scope.session.claims.length > 0));
}

/** Whether it was loaded from the primary after a place in the order of readers and loads; 0 asks for nothing. */
export function isSourced(entry: Entry, since: number): boolean {
  return since === 0 || entry.sourced > since;
}
