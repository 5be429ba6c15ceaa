import type { Aim, Order, Report, Write } from './message.ts';

type Answer = Extract<Order, { readonly request: number }>;

/** Where a process of the fleet asks for the truth and tells what it saw: the channel to the process that started it. */
export class Office {
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #requests = 0;

  report(report: Report): void {
    process.send?.(report);
  }

  async snapshot(row: number): Promise<{ load: number; version: number }> {
    const answer = await this.#ask((request) => ({ type: 'load', request, row }));
    if (answer.type === 'snapshot') return answer;
    throw new Error(`A load was answered by ${answer.type}.`);
  }

  async commit(rows: readonly number[], aims: readonly Aim[]): Promise<Write> {
    const answer = await this.#ask((request) => ({ type: 'commit', request, rows, aims }));
    if (answer.type === 'committed') return answer;
    throw new Error(`A commit was answered by ${answer.type}.`);
  }

  /** Takes an answer that has arrived. */
  take(answer: Answer): void {
    this.#waiting.get(answer.request)?.(answer);
    this.#waiting.delete(answer.request);
  }

  #ask(of: (request: number) => Report): Promise<Answer> {
    const request = ++this.#requests;
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.report(of(request));
    });
  }
}
