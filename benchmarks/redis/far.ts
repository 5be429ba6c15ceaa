import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Told {
  readonly ready?: true;
  readonly id?: string;
  readonly at?: string;
  readonly behind?: readonly number[];
}

/** The process that follows, seen from the one that sends. */
export class Far {
  readonly #child: ChildProcess;
  #heard: (told: Told) => void = () => {};

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (told: Told) => this.#heard(told));
  }

  static async start(how: 'publish' | 'tidemark' | 'storm', url: string): Promise<Far> {
    const file = fileURLToPath(new URL('far-process.ts', import.meta.url));
    const far = new Far(fork(file, [how, url], { execArgv: process.execArgv }));
    await far.#next(({ ready }) => ready === true);
    return far;
  }

  /** When the message of this id arrived, in ns. */
  async arrival(id: string): Promise<bigint> {
    const { at = '0' } = await this.#next((told) => told.id === id);
    return BigInt(at);
  }

  /** How far each record was behind that came since the last call, in ms. */
  async behind(): Promise<readonly number[]> {
    const told = this.#next(({ behind }) => behind !== undefined);
    this.#child.send('tell');
    return (await told).behind ?? [];
  }

  #next(wanted: (told: Told) => boolean): Promise<Told> {
    return new Promise((resolve) => {
      this.#heard = (told) => {
        if (wanted(told)) resolve(told);
      };
    });
  }
}
