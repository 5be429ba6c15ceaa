import type { Appended, InvalidationLog, Reading, Snapshot } from '../coherence/log.ts';
import type { Draft } from '../coherence/record.ts';

/** What can be asked of a log, with what it answers. */
interface Answers {
  readonly append: Appended;
  readonly read: Reading;
  readonly snapshot: Snapshot;
}

type Kind = keyof Answers;

/** One request that a test has its hand on; see {@link ScriptedLog.hold}. */
export interface Held<K extends Kind> {
  /** Whether it was made yet. */
  readonly asked: boolean;
  /** Lets it through, its answer changed if `change` is given. Before the request is made: as soon as it is. */
  release(change?: (answer: Answers[K]) => Answers[K]): void;
  /** Lets it fail; what was carried out already stays so. */
  fail(error: Error): void;
}

interface Script {
  readonly what: 'answer' | 'request';
  readonly outcome: Promise<Outcome>;
  asked: boolean;
}

type Outcome = { readonly change?: Change | undefined; readonly error?: Error };

/** Takes the answers of one kind, and returns what passes for one; which kind, only the request knows. */
type Change = (answer: never) => unknown;

/**
 * A log that does what a test says: it holds answers back, changes them, fails, proves nothing. Else it does what the log
 * inside does, without its `attach`: a log at the other end of a connection.
 */
export class ScriptedLog implements InvalidationLog {
  /** Every request fails while this is set. */
  broken: Error | undefined;
  /** Whether answers prove freshness: `false` for a server that its replicas do not confirm. */
  proves = true;
  /** Most records in one reading. */
  limit: number = Number.POSITIVE_INFINITY;
  /** How many requests of each kind were made. */
  readonly count: Record<Kind, number> = { append: 0, read: 0, snapshot: 0 };
  /** The drafts of each append, in order. */
  readonly appends: (readonly Draft[])[] = [];
  readonly #inner: InvalidationLog;
  readonly #now: () => number;
  readonly #scripts: Record<Kind, Script[]> = { append: [], read: [], snapshot: [] };

  /** @param now the stopwatch that proofs are dated with */
  constructor(inner: InvalidationLog, now: () => number) {
    this.#inner = inner;
    this.#now = now;
  }

  /**
   * Takes hold of the next request of a kind that nobody holds yet: of its answer, while the request itself is carried out
   * at once; or of the request, which is carried out only when it is released.
   */
  hold<K extends Kind>(kind: K, what: 'answer' | 'request' = 'answer'): Held<K> {
    let settle: (outcome: Outcome) => void = () => {};
    const outcome = new Promise<Outcome>((resolve) => {
      settle = resolve;
    });
    const script: Script = { what, outcome, asked: false };
    this.#scripts[kind].push(script);
    return {
      get asked() {
        return script.asked;
      },
      release: (change) => settle({ change }),
      fail: (error) => settle({ error }),
    };
  }

  append(drafts: readonly Draft[]): Promise<Appended> {
    this.appends.push(drafts);
    return this.#carryOut('append', () => this.#inner.append(drafts));
  }

  read(
    after: { readonly epoch: string; readonly number: number },
    options: { wait: number; limit: number },
  ): Promise<Reading> {
    const sentAt = this.#now();
    const limit = Math.min(options.limit, this.limit);
    return this.#carryOut('read', async (held) => {
      // What is held is answered as of now, so that a test decides how old it grows.
      const reading = await this.#inner.read(after, { wait: held ? 0 : options.wait, limit });
      return { ...reading, provenAt: this.proves ? sentAt : undefined };
    });
  }

  snapshot(): Promise<Snapshot> {
    const sentAt = this.#now();
    return this.#carryOut('snapshot', async () => ({
      ...(await this.#inner.snapshot()),
      provenAt: this.proves ? sentAt : undefined,
    }));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #carryOut<K extends Kind>(kind: K, work: (held: boolean) => Promise<Answers[K]>): Promise<Answers[K]> {
    this.count[kind]++;
    if (this.broken !== undefined) throw this.broken;
    const script = this.#scripts[kind].shift();
    if (script === undefined) return work(false);
    script.asked = true;
    const done = script.what === 'answer' ? work(true) : undefined;
    done?.catch(() => {}); // thrown below, when it is released
    const { change, error } = await script.outcome;
    if (error !== undefined) throw error;
    const answer = await (done ?? work(true));
    return change === undefined ? answer : (change as (answer: Answers[K]) => Answers[K])(answer);
  }
}
