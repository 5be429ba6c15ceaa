import { type Happening, now } from './happening.ts';

/** Collects what happened in all processes, and prints it in the order of time, chapter by chapter. */
export class Timeline {
  readonly #write: (line: string) => void;
  readonly #begun = now();
  #chapter: Happening[] = [];

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  tell(happening: Happening): void {
    this.#chapter.push(happening);
  }

  /** Prints the chapter in one line: too much happened. */
  summarize(title: string, summary: string): void {
    this.#chapter = [];
    this.#write(`\n${title}\n${' '.repeat(14)}${summary}`);
  }

  /** Prints the chapter. What happened in one place several times is one line, with the time of the first. */
  print(title: string): void {
    const lines = new Map<string, { at: number; text: string; times: number }>();
    for (const { at, where, what } of this.#chapter.sort((a, b) => a.at - b.at)) {
      const text = `${where.padEnd(8)} ${what}`;
      const line = lines.get(text) ?? { at, text, times: 0 };
      line.times++;
      lines.set(text, line);
    }
    this.#chapter = [];
    this.#write(`\n${title}`);
    for (const { at, text, times } of lines.values())
      this.#write(`${(at - this.#begun).toFixed(1).padStart(9)} ms  ${text}${times > 1 ? ` (${times} times)` : ''}`);
  }
}
