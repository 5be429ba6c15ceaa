import type { Lease, LeaseAnswer } from '../cache/lease.ts';
import type { Argument, Commands, Reply } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import { Script } from './script.ts';

export interface RedisLeaseParts {
  readonly keys: RedisKeys;
  readonly commands: Commands;
  /** Numbers in [0, 1): tells nodes apart. */
  readonly random: () => number;
  /** Called when it is closed: whoever made `commands` ends them. */
  readonly release: () => void;
}

const YEAR = 365 * 86_400_000;

/** Shortest and longest time between two looks, in ms. */
const SOON = 5;
const LATEST = 100;

/** How long a lease says that it was given back, in ms: more than passes between a look into the store and the asking. */
const MOMENT = 1_000;

/** Most keys of which it is remembered what they were refused for. */
const REMEMBERED = 1_000;

/**
 * One loader per key in a fleet: a key with the holder's name that expires by itself. One round trip to ask.
 *
 * Between a node's look into the store and its asking, another may have loaded the key and given the lease back:
 *
 * 1. B looks into the store: nothing.  2. A, who has the lease, writes the value and gives the lease back.
 * 3. B asks, is granted, and loads what is there.
 *
 * So what was given back says so for a moment, and whoever finds that is refused once: it looks again.
 *
 * It rejects when the server does not answer. A lease granted in an answer that was lost is held until its time is over.
 */
export class RedisLease implements Lease {
  readonly #parts: RedisLeaseParts;
  readonly #acquire = new Script('acquire.lua');
  readonly #release = new Script('release.lua');
  readonly #extend = new Script('extend.lua');
  readonly #node: string;
  readonly #refused = new Map<string, string>();
  #grants = 0;

  constructor(parts: RedisLeaseParts) {
    this.#parts = parts;
    this.#node = Array.from({ length: 4 }, () => Math.floor(parts.random() * 2 ** 32).toString(36)).join('.');
  }

  async acquire(key: string, time: number): Promise<LeaseAnswer> {
    const name = this.#parts.keys.lease(key);
    const most = whole(time);
    const grant = `${this.#node} ${++this.#grants}`;
    const mine = `${most} ${grant}`;
    const last = this.#refused.get(key) ?? '';
    const [held, left] = listOf(await this.#run(this.#acquire, name, [mine, most, this.#node, last]));
    if (held === undefined) {
      this.#refused.delete(key);
      return {
        granted: true,
        release: () => this.#giveBack(name, mine, `given back by ${grant}`),
        extend: async (more) => numberOf(await this.#run(this.#extend, name, [mine, whole(more)])) === 1,
      };
    }
    return { granted: false, wait: this.#wait(key, textOf(held), numberOf(left)) };
  }

  close(): Promise<void> {
    this.#parts.release();
    return Promise.resolve();
  }

  async #giveBack(name: string, mine: string, note: string): Promise<void> {
    await this.#run(this.#release, name, [mine, note, String(MOMENT)]);
  }

  /**
   * About half as long as the lease has been held: a short load is picked up soon after it ends, and who waits for a long
   * one asks seldom. Not all at once.
   */
  #wait(key: string, held: string, left: number): number {
    const time = Number.parseInt(held, 10);
    if (Number.isNaN(time)) {
      this.#remember(key, held);
      return 1;
    }
    const wait = (time - left) * (0.4 + 0.2 * this.#parts.random());
    return Math.max(1, Math.min(left, LATEST, Math.max(SOON, wait)));
  }

  /** Whoever does not ask again is forgotten in time, and at the worst refused once more. */
  #remember(key: string, held: string): void {
    this.#refused.delete(key);
    this.#refused.set(key, held);
    if (this.#refused.size <= REMEMBERED) return;
    for (const oldest of this.#refused.keys()) return void this.#refused.delete(oldest);
  }

  #run(script: Script, name: string, args: readonly Argument[]): Promise<Reply> {
    const { commands } = this.#parts;
    return script.run({ send: (command) => commands.send(name, command) }, [name], args);
  }
}

/** A time as the server takes it. */
function whole(ms: number): string {
  return String(Math.max(1, Math.ceil(Math.min(ms, YEAR))));
}
