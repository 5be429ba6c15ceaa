/** A promise that a test settles: a loader or a server that answers when it is told to. */
export class Gate<T = void> {
  readonly promise: Promise<T>;
  #settle: { resolve: (value: T) => void; reject: (error: unknown) => void } | undefined;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // Whoever waits for it sees the error; that nobody does yet is not one.
    this.promise.catch(() => {});
  }

  open(value: T): void {
    this.#settle?.resolve(value);
  }

  fail(error: unknown): void {
    this.#settle?.reject(error);
  }
}
