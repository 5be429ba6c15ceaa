/** A step of a saga. Both functions may be called again, and make no difference then. */
export interface Step {
  readonly name: string;
  run(): Promise<unknown>;
  /**
   * Undoes the step, also where it failed: it may have happened all the same. Rejects where that cannot be done now; then the steps
   * before it stay as they are, and the recovery ends what was begun.
   */
  compensate?(): Promise<unknown>;
}

/** What a saga tells, as it goes on. */
export type SagaListener = (saga: string, happening: string) => void;

/**
 * Runs the steps, one after the other. Where one fails, those that were begun are undone in reverse order.
 *
 * @throws what the failing step threw, once all is undone that can be
 */
export async function runSaga(saga: string, steps: readonly Step[], tell: SagaListener): Promise<void> {
  const begun: Step[] = [];
  try {
    for (const step of steps) {
      begun.push(step);
      await step.run();
      tell(saga, step.name);
    }
  } catch (error) {
    tell(saga, `${begun.at(-1)?.name} failed: ${(error as Error).message}`);
    await undo(saga, begun.toReversed(), tell);
    throw error;
  }
}

async function undo(saga: string, begun: readonly Step[], tell: SagaListener): Promise<void> {
  for (const step of begun) {
    if (step.compensate === undefined) continue;
    try {
      await step.compensate();
      tell(saga, `undone: ${step.name}`);
    } catch (error) {
      tell(saga, `not undone: ${step.name}: ${(error as Error).message}`);
      return;
    }
  }
}
