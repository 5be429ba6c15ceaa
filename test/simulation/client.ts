import type { Token } from '../../src/coherence/position.ts';
import type { Life } from './member.ts';
import { Reader } from './reader.ts';
import type { World } from './world.ts';
import { Writer } from './writer.ts';

/** How long a client waits for an answer, in ms: its node may have died. */
const PATIENCE = 2_500;

/** Writes that a client remembers to have made: its token must not forget earlier ones either, but the newest tell more. */
const REMEMBERED = 8;

/**
 * One client of the whole fleet, in front of which there is a proxy: each of its requests goes to some node, in a session that
 * begins with the token of the answer before, and with nothing else.
 */
export class Client {
  readonly #world: World;
  readonly #anyLife: () => Life | undefined;
  #token: Token | undefined;
  /** The writes that its token is about. */
  #writes: readonly number[] = [];

  constructor(world: World, anyLife: () => Life | undefined) {
    this.#world = world;
    this.#anyLife = anyLife;
  }

  /** Asks again and again, until the fleet is no longer busy. */
  async run(): Promise<void> {
    const { latencies, counts } = this.#world;
    for (;;) {
      await this.#pass(latencies.writeThink.draw());
      if (!this.#world.busy) return;
      const life = this.#anyLife();
      const answer = life && (await Promise.race([this.#request(life), this.#pass(PATIENCE)]));
      if (answer === undefined) continue;
      this.#token = answer.token;
      this.#writes = answer.writes.slice(-REMEMBERED);
      counts.add('session', answer.token === undefined ? 'no token' : `${answer.token.split(',').length} claims`);
      if (answer.token?.includes('queued')) counts.add('session', 'queued');
    }
  }

  #request(life: Life): Promise<Answer> {
    const { random, plan } = this.#world;
    const writes = [...this.#writes];
    return life.cache.session(this.#token, async () => {
      const reader = new Reader(this.#world, life, writes);
      const late = random.chance(plan.profile.clientWrites) ? await this.#write(life, writes) : [];
      for (let reads = random.below(3); reads >= 0; reads--) await reader.readSomehow(random.below(plan.rows));
      return { token: life.cache.sessionToken(), writes: [...writes, ...late] };
    });
  }

  /**
   * Usually it waits for the receipt. Else the reads of this request are promised nothing of it yet, but those of the next are.
   *
   * @returns the write that is still under way
   */
  async #write(life: Life, writes: number[]): Promise<number[]> {
    const { random } = this.#world;
    const { write, rows, receipt } = await new Writer(this.#world, life, () => undefined).begin();
    if (!random.chance(0.75)) return [write];
    await receipt;
    writes.push(write);
    if (random.chance(0.5)) await new Reader(this.#world, life, writes).readSomehow(random.pick(rows));
    return [];
  }

  #pass(ms: number): Promise<undefined> {
    return new Promise((resolve) => this.#world.scheduler.after(ms, () => resolve(undefined)));
  }
}

/** What a client is told, and the writes that it is then promised. */
interface Answer {
  readonly token: Token | undefined;
  readonly writes: readonly number[];
}
