import { type Cache, type InvalidationStep, invalidationStep, type Logger, type Receipt, type Target } from 'tidemark';
import type { Step } from './saga.ts';

/**
 * The step at both ends of every saga: what the calendar says of a day is cached too, and no transaction of ours covers what
 * changes there. It never fails the saga.
 *
 * It also tells the truth to whoever comes too late. Somebody else's claim is committed before its record is in the log; a client
 * who is refused in between, and asks again, must not see that time as free. Its own record comes after that commit.
 */
export class Fresh implements Step {
  readonly name = 'invalidate';
  /** Of the last invalidation; its token goes to the client, whether the saga has succeeded or not. */
  receipt: Receipt | undefined;
  readonly #targets = new Set<Target>();
  readonly #step: InvalidationStep;

  constructor(cache: Cache, saga: string, logger: Logger) {
    this.#step = invalidationStep(cache, () => [...this.#targets], { cause: { event: saga }, logger });
  }

  /** Adds what the saga is going to change. */
  cover(...targets: readonly Target[]): void {
    for (const target of targets) this.#targets.add(target);
  }

  run = async (): Promise<void> => {
    this.receipt = (await this.#step.run()) ?? this.receipt;
  };

  compensate = async (): Promise<void> => {
    this.receipt = (await this.#step.compensate()) ?? this.receipt;
  };
}
