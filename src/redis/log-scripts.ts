import { ByteWriter } from '../coherence/byte-writer.ts';
import type { LogOptions } from '../coherence/log.ts';
import { newEpoch, type Position } from '../coherence/position.ts';
import type { Argument, Connection, Reply } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { numberOf } from './reply.ts';
import { Script } from './script.ts';

const SCRIPTS = ['append', 'read', 'snapshot', 'check', 'nodes'] as const;

export type LogScript = (typeof SCRIPTS)[number];

/** What a script is made of; `append` proves nothing. */
function filesOf(name: LogScript): readonly string[] {
  return name === 'append' ? ['log.lua', 'append.lua'] : ['log.lua', 'proof.lua', `${name}.lua`];
}

/** Bytes of a size that is known before. */
export interface Body {
  readonly size: number;
  write(writer: ByteWriter): void;
}

const NOTHING: Body = { size: 0, write: () => {} };

/** Bytes that the first argument of all scripts begins with. */
const COMMON = 64;

/** No position: of a caller who reports nothing. */
export const NOWHERE: Position = { epoch: '', number: 0 };

/** The scripts of the log, with the keys and arguments that they have in common; see `log.lua`. */
export class LogScripts {
  /** What the log has; until it was asked, what this node was configured with, and would create it with. */
  options: LogOptions;
  readonly #scripts: Readonly<Record<LogScript, Script>>;
  readonly #keys: readonly string[];
  /** Without that of nodes. */
  readonly #logKeys: readonly string[];
  readonly #random: () => number;

  constructor({ log, stream, table, bans, nodes }: RedisKeys, options: LogOptions, random: () => number) {
    this.options = options;
    this.#logKeys = [log, stream, table, bans];
    this.#keys = [...this.#logKeys, nodes];
    this.#random = random;
    const made = SCRIPTS.map((name) => [name, new Script(...filesOf(name))] as const);
    this.#scripts = Object.fromEntries(made) as Record<LogScript, Script>;
  }

  /** How long replicas may take to confirm a proof, in ms. */
  get confirmation(): number {
    return this.options.maxLag / 4;
  }

  /**
   * @param applied what the caller has applied: more than the log has makes it begin a new epoch
   * @param body what stands behind that in the first argument; `rest` are the others
   */
  run(
    script: LogScript,
    connection: Pick<Connection, 'send'>,
    applied: Position,
    rest: readonly Argument[],
    body: Body = NOTHING,
  ): Promise<Reply> {
    const { slots, hashes, maxLag, maxLife } = this.options;
    const writer = new ByteWriter(COMMON + body.size, 'INVALID_RECORD')
      .utf8(newEpoch(this.#random), 16)
      .u32(slots)
      .u32(hashes)
      .f64(maxLag)
      .f64(maxLife);
    if (applied.epoch === '') writer.zeros(16);
    else writer.utf8(applied.epoch, 16);
    body.write(writer.f64(applied.number));
    const keys = script === 'append' ? this.#logKeys : this.#keys;
    return this.#scripts[script].run(connection, keys, [writer.done(), ...rest]);
  }

  /**
   * Takes the log's own options from `[slots, hashes, maxLag, maxLife]`; where an answer begins with an empty epoch the
   * request was made for another table, and has to be made again.
   */
  learn([slots, hashes, maxLag, maxLife]: readonly Reply[]): void {
    this.options = {
      slots: numberOf(slots),
      hashes: numberOf(hashes),
      maxLag: numberOf(maxLag),
      maxLife: numberOf(maxLife),
    };
  }
}

/** Whether so many replicas have all that this connection has written before. */
export async function confirmedBy(connection: Connection, replicas: number, ms: number): Promise<boolean> {
  return (
    replicas === 0 || numberOf(await connection.send(['WAIT', String(replicas), String(Math.ceil(ms))])) >= replicas
  );
}
