/** Most types that are told apart, and most characters of each: whoever sends events must not fill the memory. */
const MOST = 1_000;
const LONGEST = 100;

/** Which unknown types of events have been reported: each once, and none any more when there are too many. */
export class UnknownTypes {
  readonly #reported = new Set<string>();

  /** Whether this is the first event of its type. */
  first(type: string): boolean {
    const short = type.slice(0, LONGEST);
    if (this.#reported.has(short) || this.#reported.size >= MOST) return false;
    this.#reported.add(short);
    return true;
  }
}
