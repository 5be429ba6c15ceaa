import type { BreakerBoard, BreakerChange, BreakerNotice, ProbeAnswer } from '../cache/breaker.ts';
import type { Argument, Commands, Reply } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import { Script } from './script.ts';

export interface RedisBreakerBoardParts {
  readonly keys: RedisKeys;
  readonly commands: Commands;
  /** Numbers in [0, 1): tells nodes apart. */
  readonly random: () => number;
  /** Called when it is closed: whoever made `commands` ends them. */
  readonly release: () => void;
}

/** How long a change is remembered, in ms, beyond the time that it is about: an open breaker changes with each probe. */
const DAY = 86_400_000;

/** What the breakers of a fleet know of their dependencies: a hash for each. One round trip, one script. */
export class RedisBreakerBoard implements BreakerBoard {
  readonly #parts: RedisBreakerBoardParts;
  readonly #script = new Script('breaker.lua');
  readonly #node: string;
  #claims = 0;

  constructor(parts: RedisBreakerBoardParts) {
    this.#parts = parts;
    this.#node = Array.from({ length: 4 }, () => Math.floor(parts.random() * 2 ** 32).toString(36)).join('.');
  }

  async read(breaker: string): Promise<BreakerNotice> {
    return noticeOf(await this.#run(breaker, ['read']));
  }

  async open(breaker: string, change: BreakerChange): Promise<BreakerNotice> {
    return noticeOf(await this.#run(breaker, args('open', change, '')));
  }

  async claim(breaker: string, change: BreakerChange): Promise<ProbeAnswer> {
    const claim = `${this.#node} ${++this.#claims}`;
    const answer = await this.#run(breaker, args('claim', change, claim));
    if (numberOf(answer[4]) === 0) return { granted: false, notice: noticeOf(answer) };
    const settle = async (does: 'succeeded' | 'failed', time: number): Promise<BreakerNotice> =>
      noticeOf(await this.#run(breaker, args(does, { ...change, time }, claim)));
    return { granted: true, succeeded: () => settle('succeeded', 0), failed: (time) => settle('failed', time) };
  }

  close(): Promise<void> {
    this.#parts.release();
    return Promise.resolve();
  }

  async #run(breaker: string, given: readonly Argument[]): Promise<readonly Reply[]> {
    const { commands, keys } = this.#parts;
    const name = keys.breaker(breaker);
    return listOf(await this.#script.run({ send: (command) => commands.send(name, command) }, [name], given));
  }
}

function args(does: string, { number, by, time }: BreakerChange, claim: string): string[] {
  const ms = Math.ceil(time);
  return [does, String(number), String(ms), by, claim, String(ms + DAY)];
}

function noticeOf([number, open, by, left]: readonly Reply[]): BreakerNotice {
  return { number: numberOf(number), open: textOf(open) === '1', by: textOf(by), left: numberOf(left) };
}
