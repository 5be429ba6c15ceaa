import { shorten, TidemarkError } from '../coherence/errors.ts';

/** Where a breaker is. Its identity counts: what is begun in one phase decides nothing in the next. */
export type Phase =
  | { readonly state: 'closed' }
  /** `due`: from when on it may be probed, on the monotonic clock, in ms. */
  | { readonly state: 'open'; readonly by: string; readonly due: number }
  | { readonly state: 'half-open'; readonly by: string; readonly due: number };

export const CLOSED = (): Phase => ({ state: 'closed' });

/**
 * What those are told who are refused.
 *
 * @param until as ISO 8601
 * @param cause what has failed last here, if anything has
 */
export function refusal(name: string, phase: Phase, until: string, cause: unknown): TidemarkError {
  const by = phase.state === 'closed' ? 'nobody' : phase.by;
  const when =
    phase.state === 'half-open'
      ? 'A call is finding out now whether it is back.'
      : `It is refused until ${until}; the next call then finds out whether it is back.`;
  return new TidemarkError(
    'BREAKER_OPEN',
    `The breaker ${shorten(name)} is open: ${by} found that what is behind it fails. ${when}`,
    { cause },
  );
}
