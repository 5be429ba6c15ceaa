/** Prints what happens, with the time since the first of it. */
export class Timeline {
  readonly #write: (line: string) => void;
  #begun: number | undefined;
  #quiet = false;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  chapter(title: string): void {
    this.#write(`\n${title}`);
  }

  /** Prints nothing of what happens in `work`: it is too much. */
  async quietly<T>(work: () => Promise<T>): Promise<T> {
    this.#quiet = true;
    return work().finally(() => {
      this.#quiet = false;
    });
  }

  /** @param where who did it */
  tell(where: string, what: string): void {
    if (this.#quiet) return;
    this.#begun ??= performance.now();
    const ms = (performance.now() - this.#begun).toFixed(0).padStart(7);
    this.#write(`${ms} ms  ${where.padEnd(10)} ${what}`);
  }
}
