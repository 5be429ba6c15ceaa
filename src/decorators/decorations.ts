/** What one of our decorators has said about each class that it stands in. */
export class Decorations<D> {
  readonly #kind = Symbol('tidemark.decorations');

  /** @param prototype of the decorated class */
  add(prototype: object, decoration: D): void {
    // A list of its own for each class, or a subclass would add to its parent's.
    Object.defineProperty(prototype, this.#kind, { value: [...this.of(prototype), decoration], configurable: true });
  }

  /** Those of the class of an instance, inherited ones first. */
  of(instance: object): readonly D[] {
    return (instance as Record<symbol, readonly D[] | undefined>)[this.#kind] ?? [];
  }
}
