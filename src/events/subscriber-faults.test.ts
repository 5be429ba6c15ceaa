import { describe, expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { MemoryLog } from '../coherence/memory-log.ts';
import { key } from '../coherence/target.ts';
import { coverageOf } from '../coherence/record.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { partContext } from '../testing/part-context.ts';
import { ScriptedLog } from '../testing/scripted-log.ts';
import { SeededRandom } from '../testing/seeded-random.ts';
import { createSubscriber, type Subscriber } from './subscriber.ts';

const SEEDS = 300;
const STEPS = 60;

/**
 * A service with a cache of its own, at a log that is cut off, slow, trimmed and emptied, and callbacks that fail. Messages are
 * numbered in the order in which they are published.
 */
class Story {
  readonly #random: SeededRandom;
  readonly #clock = new FakeClock();
  readonly #context;
  readonly #server: MemoryLog;
  readonly #log: ScriptedLog;
  #subscriber: Subscriber | undefined;
  #published = 0;
  /** What the service does not know of yet. */
  readonly #unknown = new Set<number>();
  #last = 0;
  readonly problems: string[] = [];
  readonly seen = { delivered: 0, trimmed: 0, epoch: 0, failed: 0, start: 0, resumed: 0 };

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.#context = partContext(this.#clock, { random: this.#random.fork().next });
    this.#server = new MemoryLog(logOptions(), this.#context);
    this.#log = new ScriptedLog(this.#server, () => this.#context.stopwatch.now());
  }

  async play(): Promise<void> {
    this.#start(undefined);
    for (let i = 0; i < STEPS; i++) await this.#step();
    this.#log.broken = undefined;
    await this.#clock.advance(60_000);
    await this.#publish(1);
    await this.#clock.advance(60_000);
    if (this.#unknown.size > 0) this.problems.push(`never told of ${[...this.#unknown].join(' ')}`);
    await this.#subscriber?.close({ drain: 0 });
  }

  async #step(): Promise<void> {
    const random = this.#random;
    switch (random.weighted([8, 6, 2, 1, 2, 2, 1])) {
      case 0:
        return this.#publish(1 + random.below(5));
      case 1:
        return this.#clock.advance(random.pick([0, 10, 200, 1_000, 5_000]));
      case 2:
        this.#log.broken = this.#log.broken === undefined ? new Error('refused') : undefined;
        return undefined;
      case 3:
        return this.#server.beginEpoch();
      case 4:
        return this.#server.trim((await this.#server.snapshot()).head - random.below(4));
      case 5: {
        // An answer that is under way for long: from before whatever happens meanwhile.
        const held = this.#log.hold('read');
        this.#context.clock.schedule(random.below(1_500), () => held.release());
        return undefined;
      }
      default:
        return this.#resume();
    }
  }

  /** The changes are made before they are published, so what is cached afterwards knows of them. */
  async #publish(count: number): Promise<void> {
    const ids = Array.from({ length: count }, () => ++this.#published);
    for (const id of ids) this.#unknown.add(id);
    await this.#server.append(
      ids.map((id) => ({
        ...coverageOf([key('n', id)]),
        ...{ id: id.toString(16).padStart(32, '0'), origin: 'x#1', time: 0, targets: [`key n:${id}`] },
        cause: { entityType: 'n', entityId: String(id) },
      })),
    );
  }

  async #resume(): Promise<void> {
    await this.#subscriber?.close({ drain: 0 });
    const from = this.#subscriber?.position;
    if (from !== undefined) this.seen.resumed++;
    this.#start(from);
  }

  #start(from: string | undefined): void {
    const random = this.#random.fork();
    this.#subscriber = createSubscriber({
      name: 'test',
      log: this.#log,
      clock: this.#clock,
      random: random.next,
      retries: 1,
      buffer: 3,
      ...(from === undefined ? {} : { from }),
      onMessage: (message) => {
        if (random.chance(0.15)) throw new Error('busy');
        const id = Number(message.entityId);
        if (id <= this.#last) this.problems.push(`${id} after ${this.#last}`);
        this.#last = id;
        this.seen.delivered++;
        this.#unknown.delete(id);
      },
      onGap: (gap) => {
        if (random.chance(0.2)) throw new Error('busy');
        this.seen[gap.reason]++;
        this.#unknown.clear();
      },
    });
  }
}

describe('whatever happens to the log and to callbacks', () => {
  it('each message is handed on in order, or a gap is reported after it was published', async () => {
    const total = { delivered: 0, trimmed: 0, epoch: 0, failed: 0, start: 0, resumed: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const story = new Story(seed);
      await story.play();
      expect(story.problems.map((problem) => `seed ${seed}: ${problem}`)).toEqual([]);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += story.seen[name];
    }
    // Each of these has happened, often.
    expect(Object.entries(total).filter(([, count]) => count < 100)).toEqual([]);
  }, 60_000);
});
