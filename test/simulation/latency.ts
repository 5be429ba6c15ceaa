import type { SeededRandom } from '../../src/testing/seeded-random.ts';

/** How long things take: mostly short, sometimes long. All in ms. */
export interface LatencyShape {
  readonly usual: readonly [number, number];
  readonly slow: readonly [number, number];
  /** How often it is slow, from 0 to 1. */
  readonly chance: number;
}

export class Latency {
  readonly #random: SeededRandom;
  readonly #shape: LatencyShape;
  /** Multiplies every delay; a fault raises it for a while. */
  factor = 1;
  #calm = false;

  constructor(random: SeededRandom, shape: LatencyShape) {
    this.#random = random;
    this.#shape = shape;
  }

  /** Nothing is slow any more. */
  calm(): void {
    this.#calm = true;
  }

  draw(): number {
    if (this.#calm) return this.#random.between(0.2, 3);
    const [low, high] = this.#random.chance(this.#shape.chance) ? this.#shape.slow : this.#shape.usual;
    return this.#random.between(low, high) * this.factor;
  }
}
