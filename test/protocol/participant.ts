import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { Label } from './label.ts';
import { decode, encode, EVERYTHING, INVALIDATE, type Message, u32 } from './message.ts';

type Reply = readonly (Buffer | string | number | Reply)[];

/** The scripts are part of the protocol, and taken as they are. */
const textOf = (file: string): string => readFileSync(new URL(`../../src/redis/${file}.lua`, import.meta.url), 'utf8');
const scripts = {
  append: `${textOf('log')}\n${textOf('append')}`,
  snapshot: `${textOf('log')}\n${textOf('proof')}\n${textOf('snapshot')}`,
};

const START = { epoch: '', applied: 0, floor: 0, slots: 262_144, hashes: 3 };

/**
 * A second participant of the protocol, written from docs/protocol.md: a bare client, and nothing of the library. It appends
 * invalidations, follows the log, and knows whether what was marked at a position is covered.
 */
export class Participant {
  readonly #client: Redis;
  readonly #keys: readonly string[];
  #state = START;
  /** Its client connects once: whether it has appended on that connection. */
  #appended = false;
  #table: number[] = [];
  #bans: { readonly number: number; readonly pattern: string }[] = [];

  /** @param client ended by whoever made it */
  constructor(client: Redis, name: string) {
    this.#client = client;
    this.#keys = ['log', 'stream', 'table', 'bans', 'nodes'].map((key) => `{${name}}:${key}`);
  }

  /** What is applied, which is also the mark of a load that begins now. */
  get position(): { readonly epoch: string; readonly number: number } {
    return { epoch: this.#state.epoch, number: this.#state.applied };
  }

  /** Appends one record; made when it is answered. */
  async append(message: Omit<Message, 'kind'> & { readonly everything?: boolean }): Promise<number> {
    const kind = message.everything === true ? EVERYTHING : INVALIDATE;
    const record = encode({ ...message, kind });
    const effects = [
      ...(kind === EVERYTHING ? ['E', '0', '', ''] : []),
      ...message.patterns.flatMap((pattern) => ['p', '0', pattern, '']),
    ];
    for (;;) {
      const slots = message.labels.flatMap((label) => this.#slotsOf(label));
      const parts = [u32(this.#appended ? 0 : 1), u32(1), u32(1), u32(4 + record.length)];
      const body = [f64(8_388_608), ...parts, u32(slots.length), ...slots.map(u32), u32(record.length), record];
      const [epoch, first, second] = await this.#run('append', body, effects);
      this.#appended = true;
      if (String(epoch) !== '') return Number(first);
      // The table has another shape than was assumed.
      this.#state = { ...this.#state, slots: Number(first), hashes: Number(second) };
    }
  }

  /** Takes over the whole state of the log. */
  async copy(): Promise<void> {
    const [epoch, head, floor, , , slots, hashes, , , table, bans] = await this.#run('snapshot', [], ['', '0', '0']);
    const bytes = table as Buffer;
    this.#state = {
      ...{ epoch: String(epoch), applied: Number(head), floor: Number(floor) },
      ...{ slots: Number(slots), hashes: Number(hashes) },
    };
    this.#table = Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i));
    this.#bans = (bans as Reply)
      .map((member) => /^b(\d+) \d+ (.*)$/s.exec(String(member)))
      .flatMap((found) => (found === null ? [] : [{ number: Number(found[1]), pattern: found[2] ?? '' }]));
  }

  /** Applies what comes within so many ms, and returns it. A gap, or another epoch, makes it copy the state. */
  async follow(ms: number): Promise<Message[]> {
    const after = this.#state.applied === 0 ? '0-1' : `${this.#state.applied}-0`;
    const stream = this.#keys[1] as string;
    const answer = (await this.#client.xreadBuffer('BLOCK', ms, 'STREAMS', stream, after)) as Reply | null;
    const found: Message[] = [];
    for (const [id, fields] of ((answer?.[0] as Reply | undefined)?.[1] ?? []) as unknown as [Buffer, Buffer[]][]) {
      const [epoch, value] = fields as [Buffer, Buffer];
      if (epoch.toString() !== this.#state.epoch || value.readDoubleLE(0) !== this.#state.applied) {
        await this.copy();
        return found;
      }
      found.push(...this.#apply(Number.parseInt(id.toString(), 10), value));
    }
    return found;
  }

  /** Whether something after the mark covers an entry with these labels. Patterns here have `*` alone. */
  covers(labels: readonly Label[], key: string, mark: { readonly epoch: string; readonly number: number }): boolean {
    if (mark.epoch !== this.#state.epoch || !(mark.number >= this.#state.floor)) return true;
    if (labels.some((label) => !(this.#newest(label) <= mark.number))) return true;
    return this.#bans.some(({ number, pattern }) => number > mark.number && matches(pattern, key));
  }

  #apply(last: number, value: Buffer): Message[] {
    const records: Buffer[] = [];
    for (let at = 8; at < value.length; at += 4 + value.readUInt32LE(at))
      records.push(value.subarray(at + 4, at + 4 + value.readUInt32LE(at)));
    return records.map((record, i) => {
      const number = last - records.length + 1 + i;
      const message = decode(record);
      for (const label of message.labels) for (const slot of this.#slotsOf(label)) this.#table[slot] = number;
      for (const pattern of message.patterns) this.#bans.push({ number, pattern });
      const floor = message.kind === EVERYTHING ? number : this.#state.floor;
      this.#state = { ...this.#state, applied: number, floor };
      return message;
    });
  }

  #newest(label: Label): number {
    return Math.min(...this.#slotsOf(label).map((slot) => this.#table[slot] ?? Number.NaN));
  }

  #slotsOf({ high, low }: Label): number[] {
    const { slots, hashes } = this.#state;
    const step = BigInt((low | 1) >>> 0);
    return Array.from({ length: hashes }, (_, i) => Number((BigInt(high) + BigInt(i) * step) % BigInt(slots)));
  }

  async #run(script: keyof typeof scripts, body: readonly Buffer[], rest: readonly string[]): Promise<Reply> {
    const { epoch, applied, slots, hashes } = this.#state;
    const options = [u32(slots), u32(hashes), f64(2_000), f64(86_400_000)];
    const position = epoch === '' ? [Buffer.alloc(24)] : [Buffer.from(epoch), f64(applied)];
    const common = [Buffer.from(randomBytes(8).toString('hex')), ...options, ...position];
    const keys = script === 'append' ? this.#keys.slice(0, 4) : this.#keys;
    const args = [...keys, Buffer.concat([...common, ...body]), ...rest];
    return (await this.#client.callBuffer('EVAL', scripts[script], String(keys.length), ...args)) as Reply;
  }
}

function f64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function matches(pattern: string, key: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(key);
}
