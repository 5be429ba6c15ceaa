/**
 * Random numbers that a seed determines: the same seed gives the same numbers on every machine. The generator is sfc32
 * (Chris Doty-Humphrey, PractRand): small, fast, and good enough to draw schedules from; not for secrets.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed any integer; neighbouring seeds give unrelated numbers */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let i = 0; i < 12; i++) this.bits();
  }

  /** 32 random bits, as an unsigned integer. */
  bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1), as a function: what a cache takes as `random`. */
  readonly next = (): number => this.bits() / 0x1_0000_0000;

  /** An integer from 0 up to, and not including, `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** A number from `low` up to, and not including, `high`. */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** True with this probability, from 0 to 1. */
  chance(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  /** One of these. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** An index, each as likely as its weight says. */
  weighted(weights: readonly number[]): number {
    let left = this.next() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i] as number;
      if (left < 0) return i;
    }
    return weights.length - 1;
  }

  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j] as T, order[i] as T];
    }
    return order;
  }

  /** Another generator: what is drawn from it does not shift what is drawn here. */
  fork(): SeededRandom {
    return new SeededRandom(this.bits() + this.bits() * 0x1_0000_0000);
  }
}
