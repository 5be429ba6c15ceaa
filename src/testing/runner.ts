/**
 * What a contract suite needs of a test runner. It is passed in, so that the suites run under any: `vitest`, `node:test`
 * and others have functions of these shapes. Assertions are Node's own.
 */
export interface Runner {
  describe(name: string, body: () => void): unknown;
  readonly it: {
    (name: string, body: () => Promise<void>): unknown;
    skip(name: string, body: () => Promise<void>): unknown;
  };
  beforeEach(run: () => Promise<void>): unknown;
  afterEach(run: () => Promise<void>): unknown;
}

/** What a contract suite is run against. */
export interface ContractOptions<Subject> {
  /** Names the suite, such as `redis log`. */
  readonly name: string;
  /** Makes the subject of one case: nothing that an earlier case did may be found in it. */
  readonly open: () => Subject | Promise<Subject>;
  /** Ends what `open` began; called after each case, also after one that failed. */
  readonly close?: (subject: Subject) => unknown;
  /** Cases that are left out, by name, each with its reason. */
  readonly skip?: Readonly<Record<string, string>>;
}

/** What a case of a contract does with its subject; rejects where the contract is broken. */
export type ContractCase<Subject> = (subject: Subject) => Promise<void>;

/**
 * Hands the cases of a contract to a runner.
 *
 * @throws Error when `skip` names a case that there is not: its reason would outlive it
 */
export function runContract<Subject>(
  runner: Runner,
  options: ContractOptions<Subject>,
  cases: Readonly<Record<string, ContractCase<Subject>>>,
): void {
  const { name, open, close, skip = {} } = options;
  const unknown = Object.keys(skip).find((it) => !Object.hasOwn(cases, it));
  if (unknown !== undefined)
    throw new Error(`skip: ${name} has no case '${unknown}'. Known are: ${Object.keys(cases).join('; ')}.`);
  runner.describe(name, () => {
    let subject: { readonly value: Subject } | undefined;
    runner.beforeEach(async () => {
      subject = { value: await open() };
    });
    runner.afterEach(async () => {
      const opened = subject;
      subject = undefined;
      if (opened !== undefined) await close?.(opened.value);
    });
    for (const [title, run] of Object.entries(cases)) {
      const body = async (): Promise<void> => {
        if (subject === undefined) throw new Error(`${name}: the runner did not call beforeEach.`);
        await run(subject.value);
      };
      const reason = Object.hasOwn(skip, title) ? skip[title] : undefined;
      if (reason === undefined) runner.it(title, body);
      else runner.it.skip(`${title} (skipped: ${reason})`, body);
    }
  });
}
