import type { PlaceAnswer, Places } from '../cache/places.ts';
import type { Commands } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { numberOf } from './reply.ts';
import { Script } from './script.ts';

export interface RedisPlacesParts {
  readonly keys: RedisKeys;
  readonly commands: Commands;
  /** Numbers in [0, 1): tells nodes apart. */
  readonly random: () => number;
  readonly release: () => void;
}

/** How long who found all places taken waits, in ms: about as long as a short load. */
const AGAIN = 10;

/** The fleet's places for loads: members of one sorted set, which run out by themselves. One round trip to ask. */
export class RedisPlaces implements Places {
  readonly #parts: RedisPlacesParts;
  readonly #take = new Script('place.lua');
  readonly #node: string;
  #taken = 0;

  constructor(parts: RedisPlacesParts) {
    this.#parts = parts;
    this.#node = Array.from({ length: 4 }, () => Math.floor(parts.random() * 2 ** 32).toString(36)).join('.');
  }

  async take(limit: number, time: number): Promise<PlaceAnswer> {
    const { commands, keys, random } = this.#parts;
    const holder = `${this.#node} ${++this.#taken}`;
    const send = { send: (command: Parameters<Commands['send']>[1]) => commands.send(keys.places, command) };
    const given = await this.#take.run(send, [keys.places], [String(limit), String(Math.ceil(time)), holder]);
    if (numberOf(given) === 0) return { granted: false, wait: AGAIN * (0.5 + random()) };
    const release = async (): Promise<void> => {
      await commands.send(keys.places, ['ZREM', keys.places, holder]);
    };
    return { granted: true, release };
  }

  close(): Promise<void> {
    this.#parts.release();
    return Promise.resolve();
  }
}
