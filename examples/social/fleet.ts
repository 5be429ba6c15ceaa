import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Happening } from './happening.ts';
import { type ServiceName, serviceNames } from './service-name.ts';
import type { Assignment, Report } from './service-process.ts';

const program = fileURLToPath(new URL('./service-process.ts', import.meta.url));

/** The services, each a process of its own on a free port. */
export class Fleet {
  readonly #processes = new Map<ServiceName, ChildProcess>();
  readonly #tell: (happening: Happening) => void;
  #questions = 0;

  constructor(tell: (happening: Happening) => void) {
    this.#tell = tell;
  }

  /**
   * Starts all services, one after the other.
   *
   * @param redisUrlOf the address by which a service reaches Redis
   * @returns where each listens
   */
  async start(name: string, redisUrlOf: (service: ServiceName) => string): Promise<Record<ServiceName, string>> {
    const urls: Partial<Record<ServiceName, string>> = {};
    for (const service of serviceNames)
      urls[service] = await this.#launch({ service, fleet: name, redisUrl: redisUrlOf(service), urls });
    return urls as Record<ServiceName, string>;
  }

  pid(service: ServiceName): number {
    return this.#processes.get(service)?.pid ?? 0;
  }

  /** Resolves when every service has told what happened in it until now. */
  async toldAll(): Promise<void> {
    const question = ++this.#questions;
    await Promise.all(
      [...this.#processes.values()].map(
        (child) =>
          new Promise<void>((resolve) => {
            const listen = (it: Report): void => {
              if (it.type !== 'told' || it.question !== question) return;
              child.off('message', listen);
              resolve();
            };
            child.on('message', listen);
            child.once('exit', () => resolve());
            child.send(question);
          }),
      ),
    );
  }

  /** Ends all services, the last one first. */
  async stop(): Promise<void> {
    for (const child of [...this.#processes.values()].toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = once(child, 'exit');
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
      child.disconnect();
      await gone;
      clearTimeout(late);
    }
    this.#processes.clear();
  }

  #launch(assignment: Assignment): Promise<string> {
    const { service } = assignment;
    const child = fork(program, { env: { ...process.env, SOCIAL_ASSIGNMENT: JSON.stringify(assignment) } });
    this.#processes.set(service, child);
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`The ${service} service ended with ${code} before it listened.`)));
      child.on('message', (it: Report) => {
        if (it.type === 'happening') this.#tell(it.happening);
        if (it.type === 'listening') resolve(it.url);
      });
    });
  }
}
