import { describe, expect, it } from 'vitest';
import { type Cache, createCache } from '../cache/cache.ts';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import type { Draft } from '../coherence/record.ts';
import { key } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { partContext } from '../testing/part-context.ts';
import { ScriptedLog } from '../testing/scripted-log.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createIntake, type Intake } from './intake.ts';
import type { Taken } from './lane.ts';
import type { Invalidator } from './invalidator.ts';
import { createRules, type Rules } from './rules.ts';

const SEEDS = 50;
const STEPS = 50;

interface Changed {
  readonly type: 'changed';
  readonly id: number;
}

/** A message of a source that keeps it until it is acknowledged. */
interface Message {
  readonly id: number;
  /** How many records the log had when it was published: its change was made before. */
  readonly since: number;
  acknowledged: boolean;
  /** Whether a process has it in its hands. */
  taken: boolean;
}

/** One process: what it starts ends with it, whatever is still queued in it. */
interface Life {
  readonly log: ScriptedLog;
  readonly cache: Cache;
  readonly intake: Intake<Changed>;
  /** What its handler was asked for the first time, the newest. */
  newest: number;
  dead: boolean;
}

/** What is left out, to see that the checker notices. */
type Guard = 'ackAfterAppend' | 'coverGivenUp' | 'appendOfCover';

/**
 * A source that delivers again, and processes that read it: their log is cut off and slow, their rules fail for a while, and they are
 * killed with what they have queued. When a message is acknowledged, the log has to have a record that covers its change.
 */
class Story {
  readonly #removed: Guard | undefined;
  readonly #random: SeededRandom;
  readonly #clock = new FakeClock();
  readonly #context;
  readonly #server: MemoryLog;
  /** All that the log has, in order. */
  readonly #records: Draft[] = [];
  readonly #messages: Message[] = [];
  readonly #poison = new Set<number>();
  #life: Life;
  readonly problems: string[] = [];
  readonly seen = { handled: 0, covered: 0, killed: 0, again: 0, cut: 0 };

  constructor(seed: number, removed?: Guard) {
    this.#removed = removed;
    this.#random = new SeededRandom(seed);
    this.#context = partContext(this.#clock, { random: this.#random.fork().next });
    this.#server = new MemoryLog(logOptions(), this.#context);
    this.#life = this.#begin();
  }

  async play(): Promise<void> {
    for (let i = 0; i < STEPS; i++) await this.#step();
    this.#life.log.broken = undefined;
    this.#poison.clear();
    for (let i = 0; i < 20; i++) {
      this.#deliver();
      await this.#clock.advance(30_000);
    }
    const left = this.#messages.filter((message) => !message.acknowledged).map(({ id }) => id);
    if (left.length > 0) this.problems.push(`never acknowledged: ${left.join(' ')}`);
    await this.#end();
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const { log } = this.#life;
    switch (random.weighted([8, 8, 3, 2, 3, 1])) {
      case 0:
        for (let i = random.below(3); i >= 0; i--) this.#publish();
        return this.#deliver();
      case 1:
        return this.#clock.advance(random.pick([0, 10, 100, 300, 1_000, 10_000]));
      case 2:
        this.seen.cut++;
        log.broken = log.broken === undefined ? new Error('refused') : undefined;
        return undefined;
      case 3: {
        const held = log.hold('append', random.pick(['answer', 'request']));
        this.#clock.schedule(random.below(3_000), () => held.release());
        return undefined;
      }
      case 4:
        if (random.chance(0.4)) this.#poison.clear();
        else this.#poison.add(this.#messages.length + random.below(3));
        return undefined;
      default:
        return this.#kill();
    }
  }

  #publish(): void {
    const id = this.#messages.length;
    this.#messages.push({ id, since: this.#records.length, acknowledged: false, taken: false });
  }

  /** Hands out what nobody has in hand, in order. */
  #deliver(): void {
    const life = this.#life;
    for (const message of this.#messages) {
      if (message.acknowledged || message.taken) continue;
      message.taken = true;
      const event: Changed = { type: 'changed', id: message.id };
      const taken = life.intake.take(event, { source: 's', id: String(message.id) });
      void taken.then((outcome) => this.#acknowledge(life, message, outcome));
    }
  }

  #acknowledge(life: Life, message: Message, { status }: Taken): void {
    if (life.dead) return; // Whatever it says, nobody hears it; and the message was given to another.
    const early = this.#removed === 'ackAfterAppend' && status === 'queued';
    if (status !== 'handled' && status !== 'covered' && !early) {
      message.taken = false;
      return;
    }
    this.seen[status === 'covered' ? 'covered' : 'handled']++;
    message.acknowledged = true;
    const label = `key user:${message.id}`;
    const since = this.#records.slice(message.since);
    if (!since.some(({ kind, targets }) => kind === 'everything' || targets?.includes(label) === true))
      this.problems.push(`${message.id} was acknowledged as ${status}, and no record covers it`);
  }

  async #kill(): Promise<void> {
    this.seen.killed++;
    await this.#end();
    for (const message of this.#messages) {
      if (message.taken && !message.acknowledged) this.seen.again++;
      message.taken = false;
    }
    this.#life = this.#begin();
    this.#deliver();
  }

  async #end(): Promise<void> {
    const { log, cache, intake } = this.#life;
    this.#life.dead = true;
    log.broken = new Error('this process is dead');
    await Promise.all([intake.close({ drain: 0 }), cache.close({ drain: 0 })]);
  }

  #begin(): Life {
    const recording = {
      append: async (drafts: readonly Draft[]) => {
        this.#records.push(...drafts);
        return this.#server.append(drafts);
      },
      read: (...args: Parameters<MemoryLog['read']>) => this.#server.read(...args),
      snapshot: () => this.#server.snapshot(),
      close: () => Promise.resolve(),
    };
    const log = new ScriptedLog(recording, () => this.#context.stopwatch.now());
    const random = this.#random.fork().next;
    const cache = createCache({ name: 'test', log, clock: this.#clock, random });
    const rules = createRules<Changed>(cache, { changed: ({ id }) => key('user', id) });
    const life: Life = { log, cache, intake: this.#intake(cache, rules, () => life), newest: -1, dead: false };
    return life;
  }

  #intake(cache: Cache, rules: Rules<Changed>, life: () => Life): Intake<Changed> {
    const removed = this.#removed;
    const applied = { status: 'applied', token: '1.x' } as const;
    const handle = (event: Changed): Promise<unknown> => {
      this.#noteOrder(life(), event.id);
      if (this.#poison.has(event.id)) throw new Error('poison');
      return rules.handle(event);
    };
    const fallback: Invalidator = {
      invalidate: async (...args) => {
        if (removed === 'coverGivenUp') return applied;
        const receipt = await cache.invalidate(...args);
        return removed === 'appendOfCover' ? applied : receipt;
      },
    };
    return createIntake<Changed>(
      { handle },
      {
        fallback,
        report: () => {},
        clock: this.#clock,
        random: this.#random.fork().next,
        retries: 1,
        timeout: '5s',
        ...(removed === 'ackAfterAppend' ? {} : { until: 'appended' }),
      },
    );
  }

  /** The first attempts of a life are in the order of what it was handed. */
  #noteOrder(life: Life, id: number): void {
    if (life.newest >= id) return;
    const skipped = this.#messages.slice(life.newest + 1, id).filter((it) => it.taken && !it.acknowledged);
    if (skipped.length > 0) this.problems.push(`${id} before ${skipped.map((it) => it.id).join(' ')}`);
    life.newest = id;
  }
}

describe('whatever happens to log, rules and processes', () => {
  it('a message is acknowledged only once a record covers its change, and each is in the end', async () => {
    const total = { handled: 0, covered: 0, killed: 0, again: 0, cut: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const story = new Story(seed);
      await story.play();
      expect(story.problems.map((problem) => `seed ${seed}: ${problem}`)).toEqual([]);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += story.seen[name];
    }
    // Each of these has happened, often.
    expect(Object.entries(total).filter(([, count]) => count < 30)).toEqual([]);
  }, 60_000);

  it.each<Guard>(['ackAfterAppend', 'coverGivenUp', 'appendOfCover'])(
    'the checker notices when %s is left out',
    async (guard) => {
      const problems: string[] = [];
      for (let seed = 1; seed <= SEEDS && problems.length === 0; seed++) {
        const story = new Story(seed, guard);
        await story.play();
        problems.push(...story.problems);
      }
      expect(problems).not.toEqual([]);
    },
    60_000,
  );
});
