import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** One connection through a gateway. */
interface Passage {
  readonly near: Socket;
  readonly far: Socket;
  /** Whether it was ever used to wait for records. */
  isFollower: boolean;
}

/**
 * An address in front of a server, by which one node finds it: the network between the two, to be disturbed.
 *
 * - `open`: everything passes
 * - `closed`: new connections are ended at once; those that are there go on
 * - `silent`: nothing passes any more, and nobody is told: connections are accepted, and never answered
 */
export class Gateway {
  state: 'open' | 'closed' | 'silent' = 'open';
  readonly #to: number;
  readonly #server: Server;
  readonly #passages = new Set<Passage>();

  /** @param to the port of the server */
  constructor(to: number) {
    this.#to = to;
    this.#server = createServer((near) => this.#pass(near));
  }

  /** @returns its URL */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Keeps everything under way back, as a slow network does, until the returned function is called. */
  hold(): () => void {
    const held = [...this.#passages].flatMap(({ near, far }) => [near, far]);
    for (const socket of held) socket.pause();
    return () => {
      for (const socket of held) socket.resume();
    };
  }

  /** Ends connections: all, or only the one by which records are followed. */
  cut(which: 'all' | 'follower' = 'all'): void {
    for (const passage of this.#passages) if (which === 'all' || passage.isFollower) passage.near.destroy();
  }

  async close(): Promise<void> {
    this.state = 'closed';
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(near: Socket): void {
    if (this.state === 'closed') return void near.destroy();
    const passage: Passage = { near, far: connect(this.#to, '127.0.0.1'), isFollower: false };
    this.#passages.add(passage);
    const { far } = passage;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#passages.delete(passage);
        to.destroy();
      });
      from.on('data', (data: Buffer) => {
        if (this.state === 'silent') return;
        if (from === near && data.includes('XREAD')) passage.isFollower = true;
        to.write(data);
      });
    }
  }
}
