import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Argument, Connection, Reply } from './connection.ts';

/** A Lua script on the server, called by the hash of its text; the text is sent where the server does not know it. */
export class Script {
  readonly #source: string;
  readonly #sha: string;

  /** @param files beside this module, joined in order */
  constructor(...files: readonly string[]) {
    this.#source = files.map((file) => readFileSync(new URL(`./${file}`, import.meta.url), 'utf8')).join('\n');
    this.#sha = createHash('sha1').update(this.#source).digest('hex');
  }

  /** Runs it; rejects with the server's error, or as {@link Connection.send} does. */
  async run(connection: Pick<Connection, 'send'>, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const command = ['EVALSHA', this.#sha, String(keys.length), ...keys, ...args];
    try {
      return await connection.send(command);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('NOSCRIPT'))) throw error;
      return connection.send(['EVAL', this.#source, ...command.slice(2)]);
    }
  }
}
