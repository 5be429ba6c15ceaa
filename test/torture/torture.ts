import { setTimeout as wait } from 'node:timers/promises';
import type { Guard } from '../../src/coherence/guards.ts';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { check, type Violation } from '../simulation/checker.ts';
import type { Fact } from '../simulation/history.ts';
import { Deployment } from './deployment.ts';
import { type Fault, type FaultName, faults } from './fault.ts';
import { appendsOf } from './appends.ts';
import { type Figures, figuresOf } from './figures.ts';
import { Fleet } from './fleet.ts';
import type { Habit } from './message.ts';
import { sharedClock } from './shared-clock.ts';
import { Truth } from './truth.ts';

/** What a run is made of. */
export interface TortureOptions {
  readonly fault: FaultName;
  /** How long there are faults, in seconds. */
  readonly seconds: number;
  readonly processes: number;
  readonly seed: number;
  readonly rows?: number;
  /** In ms; default 1000. */
  readonly maxLag?: number;
  /** Default 6 in each process. */
  readonly readers?: number;
  readonly habit?: Habit;
  readonly without?: readonly Guard[];
  /** Ends the run at once, with an error. */
  readonly interrupted?: Promise<never>;
}

/** What came of a run. */
export interface Verdict extends Figures {
  readonly facts: readonly Fact[];
  readonly violations: readonly Violation[];
}

/** Processes of one run are told apart from those of another on the same server by this. */
const NAME = 'torture';

/**
 * Runs real processes on real servers, with a fault again and again, and judges what they did by what is promised.
 *
 * @throws Error when a process or a server ends that nobody has ended
 */
export async function torture(options: TortureOptions): Promise<Verdict> {
  const { processes, seed, rows = 40, maxLag = 1_000, readers = 6, habit = 'invalidate', without = [] } = options;
  const fault: Fault = faults[options.fault];
  const random = new SeededRandom(seed);
  const origin = process.hrtime.bigint();
  const now = sharedClock(origin);
  const facts: Fact[] = [];
  const tell = (fact: Fact): void => void facts.push(fact);
  const text = `${processes} processes, ${options.fault}, seed ${seed}`;
  // What is remembered may be forgotten: servers are slow at times, and a node that cannot prove what it has loads again.
  tell({ at: 0, type: 'plan', text, maxLag, nodes: processes, remembers: false });
  const truth = new Truth(rows, now, tell);
  const deployment = await Deployment.start(processes, fault.replicas, fault.args);
  const common = {
    ...{ origin: String(origin), name: NAME, maxLag, rows, readers, habit, without },
    ...{ replicas: fault.confirming, history: fault.history, burst: fault.burst },
  };
  const urlOf = (node: number): string => deployment.urlOf(node);
  const fleet = new Fleet({ common, processes, urlOf, random: random.fork(), truth, tell, now });
  let ended = false;
  let strike: Promise<void> | undefined;
  const course = async (): Promise<void> => {
    await fleet.start();
    const until = now() + options.seconds * 1_000;
    for (;;) {
      await wait(Math.min(random.between(300, 2_500), Math.max(0, until - now())));
      if (ended || now() >= until) break;
      if (fault.strike === undefined) continue;
      tell({ at: now(), type: 'fault', text: options.fault });
      strike = fault.strike({ name: NAME, maxLag, random, deployment, fleet });
      await strike;
    }
    await fleet.rest();
    await wait(maxLag + 100);
    tell({ at: now(), type: 'quiet' });
    await fleet.audit();
    await fleet.close();
  };
  try {
    await Promise.race([course(), ...(options.interrupted === undefined ? [] : [options.interrupted])]);
  } finally {
    // What a strike has taken down it brings up again, which must not happen after the end.
    ended = true;
    await strike?.catch(() => {});
    await fleet.kill();
    await deployment.stop();
  }
  const began = performance.timeOrigin + performance.now() - now();
  const history = inOrder([...facts, ...appendsOf(fleet.sent, truth.replay(), began, fault.confirming > 0)]);
  return { facts: history, violations: check(history), ...figuresOf(history) };
}

function inOrder(facts: readonly Fact[]): Fact[] {
  return facts.toSorted((a, b) => a.at - b.at);
}
