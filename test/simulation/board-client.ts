import type { BreakerBoard, BreakerChange, BreakerNotice, ProbeAnswer } from '../../src/cache/breaker.ts';
import type { Channel } from './channel.ts';
import type { ValueServer } from './value-server.ts';

/** Longer than a breaker waits for any answer, in ms: the connection is given up only when it is certainly dead. */
const DEADLINE = 1_200;

/** The board of the fleet's breakers as one process reaches it. */
export class BoardClient implements BreakerBoard {
  readonly #channel: Channel<ValueServer>;

  constructor(channel: Channel<ValueServer>) {
    this.#channel = channel;
  }

  read(breaker: string): Promise<BreakerNotice> {
    return this.#ask((board) => board.read(breaker));
  }

  open(breaker: string, change: BreakerChange): Promise<BreakerNotice> {
    return this.#ask((board) => board.open(breaker, change));
  }

  async claim(breaker: string, change: BreakerChange): Promise<ProbeAnswer> {
    const answer = await this.#ask((board) => board.claim(breaker, change));
    if (!answer.granted) return answer;
    return {
      granted: true,
      succeeded: () => this.#ask(() => answer.succeeded()),
      failed: (time) => this.#ask(() => answer.failed(time)),
    };
  }

  #ask<T>(command: (board: BreakerBoard) => Promise<T>): Promise<T> {
    return this.#channel.request<T>((server, _session, reply) => {
      try {
        server.mayFail();
      } catch (error) {
        return reply(error as Error);
      }
      command(server.breakers).then((answer) => reply(undefined, answer), reply);
    }, DEADLINE);
  }
}
