import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut and mended. */
export class Cable {
  readonly #sockets = new Set<Socket>();
  readonly #to: number;
  #cut = false;
  /** When the first connection was let through since it was mended, on the clock of `performance`. */
  joinedAt = Number.NaN;

  constructor(to: number) {
    this.#to = to;
  }

  async open(): Promise<string> {
    const server = createServer((near) => (this.#cut ? near.destroy() : this.#join(near)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
    this.joinedAt = Number.NaN;
  }

  #join(near: Socket): void {
    if (Number.isNaN(this.joinedAt)) this.joinedAt = performance.now();
    const far = connect(this.#to, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
