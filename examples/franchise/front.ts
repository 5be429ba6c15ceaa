import { once } from 'node:events';
import { createServer, type IncomingMessage, request as send, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

/** What concerns one connection, and not the next. */
const ofTheConnection = ['connection', 'keep-alive'];

/**
 * The one port of several instances: each request goes to the next of them, also where a client keeps its connection. The
 * answer says by `x-instance` which it was.
 */
export class Front {
  readonly #server: Server;
  #instances: readonly string[];
  #turn = 0;

  /** @param instances their addresses */
  constructor(instances: readonly string[]) {
    this.#instances = instances;
    this.#server = createServer((request, response) => this.#forward(request, response));
  }

  /** @returns its address. Rejects with `EADDRINUSE` where the port is taken */
  async listen(port: number, host: string): Promise<string> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return `http://${host.includes(':') ? `[${host}]` : host}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** An instance that has ended gets no more requests. */
  drop(instance: string): void {
    this.#instances = this.#instances.filter((it) => it !== instance);
  }

  /** Resolves when the last request is answered. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const instance = this.#instances[this.#turn++ % this.#instances.length];
    if (instance === undefined) {
      unavailable(response);
      return;
    }
    const { method, url = '/', headers } = request;
    const forwarded = send(new URL(url, instance), { method, headers: without(headers), agent: false });
    forwarded.on('response', (answer) => {
      const end = this.#server.listening ? {} : { connection: 'close' };
      response.writeHead(answer.statusCode ?? 502, { ...without(answer.headers), ...end, 'x-instance': instance });
      // What was begun cannot be taken back: where the instance is cut off, so is the client.
      pipeline(answer, response, () => {});
    });
    forwarded.on('error', () => {
      if (!response.headersSent) unavailable(response);
    });
    response.on('close', () => forwarded.destroy());
    request.pipe(forwarded);
  }
}

function without(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ofTheConnection.includes(name)));
}

function unavailable(response: ServerResponse): void {
  const message = 'The instance that was asked does not answer.';
  const cure = 'Look whether the change was made before you send it again.';
  response.writeHead(502, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: 'unavailable', message, cure }));
}
