import type { LogOptions } from '../coherence/log.ts';
import { newEpoch, type Position } from '../coherence/position.ts';
import type { Argument, Connection, Reply } from './connection.ts';
import type { RedisKeys } from './keys.ts';
import { numberOf } from './reply.ts';
import { Script } from './script.ts';

const SCRIPTS = ['append', 'read', 'snapshot', 'check', 'nodes'] as const;

export type LogScript = (typeof SCRIPTS)[number];

/** No position: of a caller who reports nothing. */
export const NOWHERE: Position = { epoch: '', number: 0 };

/** The scripts of the log, with the keys and arguments that they have in common; see `log.lua`. */
export class LogScripts {
  /** What the log has; until it was asked, what this node was configured with, and would create it with. */
  options: LogOptions;
  readonly #scripts: Readonly<Record<LogScript, Script>>;
  readonly #keys: readonly string[];
  readonly #random: () => number;

  constructor({ log, stream, table, bans, nodes }: RedisKeys, options: LogOptions, random: () => number) {
    this.options = options;
    this.#keys = [log, stream, table, bans, nodes];
    this.#random = random;
    const made = SCRIPTS.map((name) => [name, new Script('log.lua', `${name}.lua`)] as const);
    this.#scripts = Object.fromEntries(made) as Record<LogScript, Script>;
  }

  /** How long replicas may take to confirm a proof, in ms. */
  get confirmation(): number {
    return this.options.maxLag / 4;
  }

  /** @param applied what the caller has applied: more than the log has makes it begin a new epoch */
  run(
    script: LogScript,
    connection: Pick<Connection, 'send'>,
    applied: Position,
    rest: readonly Argument[],
  ): Promise<Reply> {
    const { slots, hashes, maxLag, maxLife } = this.options;
    return this.#scripts[script].run(connection, this.#keys, [
      newEpoch(this.#random),
      String(slots),
      String(hashes),
      String(maxLag),
      String(maxLife),
      applied.epoch,
      String(applied.number),
      ...rest,
    ]);
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
