import type { Fact } from '../simulation/history.ts';
import type { Sent } from './fleet.ts';

/**
 * The appends that are known of. Each shows the versions of the moment at which its server made it: what was committed while its
 * answer was on its way is the next record's. It counts from then on too, or where replicas had to confirm, from their confirmation.
 *
 * @param versionsAt what snapshots saw at a moment of the run, in ms; asked in the order of time
 * @param began the wall clock at the run's beginning, in ms: positions are the server's
 */
export function appendsOf(
  sent: readonly Sent[],
  versionsAt: (moment: number) => readonly number[],
  began: number,
  isConfirmed: boolean,
): Fact[] {
  return sent
    .map((it) => ({ ...it, made: Math.min(it.at, it.number / 1_000 - began) }))
    .sort((a, b) => a.made - b.made)
    .map(({ at, made, number, epoch, cells }) => {
      // The clocks are compared to within a millisecond.
      const versions = versionsAt(made - 2);
      return { at: isConfirmed ? at : made, type: 'appended', server: '', epoch, number, sole: true, cells, versions };
    });
}
