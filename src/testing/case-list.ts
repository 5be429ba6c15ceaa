import type { Runner } from './runner.ts';

type Run = () => Promise<void>;

/** A runner that collects cases, for tests of the contracts themselves: what do they say of a part that breaks one? */
export class CaseList implements Runner {
  readonly #cases: { readonly name: string; readonly run: Run }[] = [];
  readonly #before: Run[] = [];
  readonly #after: Run[] = [];
  readonly skipped: string[] = [];

  readonly it: Runner['it'] = Object.assign((name: string, run: Run) => this.#cases.push({ name, run }), {
    skip: (name: string) => this.skipped.push(name),
  });

  describe(_name: string, body: () => void): void {
    body();
  }

  beforeEach(run: Run): void {
    this.#before.push(run);
  }

  afterEach(run: Run): void {
    this.#after.push(run);
  }

  /** Runs all cases one after the other; the names of those that failed, with their errors. */
  async failures(): Promise<Map<string, Error>> {
    const failed = new Map<string, Error>();
    for (const { name, run } of this.#cases) {
      try {
        for (const before of this.#before) await before();
        await run();
      } catch (error) {
        failed.set(name, error as Error);
      } finally {
        for (const after of this.#after) await after();
      }
    }
    return failed;
  }
}
