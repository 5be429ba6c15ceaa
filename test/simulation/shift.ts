import { type Tally, Counts } from './coverage.ts';
import { tell } from './story.ts';
import { type AnyGuard, profileNamed, tryOut } from './trial.ts';

/** Seeds to run, and how. */
export interface Shift {
  readonly from: number;
  readonly count: number;
  /** Takes each seed of this remainder modulo `of`: several workers share the seeds. */
  readonly turn: number;
  readonly of: number;
  readonly profile: string;
  readonly without: readonly AnyGuard[];
}

/** What a failing seed has shown. */
export interface Failure {
  readonly seed: number;
  readonly story: string;
}

/** What has been done since the last report. */
export interface Report {
  readonly seeds: number;
  readonly tally: Tally;
  readonly failures: readonly Failure[];
}

/** Seeds between two reports. */
const REPORT_EVERY = 100;

/** Runs a shift's seeds one after the other, and reports now and then. A rejection that nobody handles fails its seed. */
export async function work(shift: Shift, report: (report: Report) => void): Promise<void> {
  const profile = profileNamed(shift.profile);
  let rejected: unknown[] = [];
  const note = (reason: unknown): unknown => rejected.push(reason);
  process.on('unhandledRejection', note);
  let counts = new Counts();
  let failures: Failure[] = [];
  let seeds = 0;
  const hand = (): void => {
    report({ seeds, tally: counts.tally(), failures });
    [counts, failures, seeds] = [new Counts(), [], 0];
  };
  for (let seed = shift.from; seed < shift.from + shift.count; seed++) {
    if (seed % shift.of !== shift.turn) continue;
    const story = await run(seed, counts);
    // Rejections are reported once the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
    const stories = [
      ...(story === undefined ? [] : [story]),
      ...rejected.map((it) => `unhandled rejection: ${text(it)}`),
    ];
    if (stories.length > 0) failures.push({ seed, story: stories.join('\n') });
    rejected = [];
    if (++seeds >= REPORT_EVERY) hand();
  }
  hand();
  process.off('unhandledRejection', note);

  async function run(seed: number, into: Counts): Promise<string | undefined> {
    try {
      const trial = await tryOut(seed, profile, shift.without);
      into.merge(trial.counts.tally());
      const [first] = trial.violations;
      return first && tell(trial.history.facts, first);
    } catch (error) {
      return `the run itself failed: ${text(error)}`;
    }
  }
}

function text(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
