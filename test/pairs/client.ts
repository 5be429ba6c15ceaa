import { Agent, request } from 'node:http';
import { SESSION_HEADER } from '../../src/index.ts';

/** What a client has seen. Times in ms. */
export interface Seen {
  /** Reads older than the client's own write. */
  older: number;
  /** Of reads right after a write, and of reads of a row that nobody writes. */
  readonly afterWrite: number[];
  readonly plain: number[];
}

/** Writes a row of its own and reads it at once, again and again, through the proxy. */
export class Client {
  readonly seen: Seen = { older: 0, afterWrite: [], plain: [] };
  readonly #port: number;
  readonly #row: string;
  readonly #passes: boolean;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  #token: string | undefined;

  /** @param passes whether it hands back the header */
  constructor(port: number, row: string, passes: boolean) {
    this.#port = port;
    this.#row = row;
    this.#passes = passes;
  }

  async run(pairs: number): Promise<void> {
    const { seen } = this;
    for (let value = 1; value <= pairs; value++) {
      await this.#ask('PUT', this.#row, { value });
      const read = await this.#timed(this.#row, seen.afterWrite);
      if (!(Number(read) >= value)) seen.older++;
      await this.#timed('nobody-writes', seen.plain);
    }
    this.#agent.destroy();
  }

  async #timed(row: string, into: number[]): Promise<string> {
    const began = performance.now();
    const body = await this.#ask('GET', row);
    into.push(performance.now() - began);
    return body;
  }

  #ask(method: string, row: string, body?: object): Promise<string> {
    const headers = {
      ...(body && { 'content-type': 'application/json' }),
      ...(this.#passes && this.#token !== undefined && { [SESSION_HEADER]: this.#token }),
    };
    return new Promise((resolve, reject) => {
      const options = {
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.#port,
        method,
        path: `/rows/${row}`,
        headers,
      };
      const asking = request(options, (answer) => {
        const token = answer.headers[SESSION_HEADER];
        if (typeof token === 'string') this.#token = token;
        let text = '';
        answer.on('data', (part) => (text += String(part)));
        answer.on('error', reject);
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve(text);
          else reject(new Error(`${method} ${row}: ${answer.statusCode} ${text}`));
        });
      });
      asking.on('error', reject);
      asking.end(body && JSON.stringify(body));
    });
  }
}
