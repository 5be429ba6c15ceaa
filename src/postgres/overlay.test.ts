import { expect, it } from 'vitest';
import { overlay } from './overlay.ts';

class Counter {
  #count = 0;
  readonly name = 'counter';
  add(): number {
    return ++this.#count;
  }
  get count(): number {
    return this.#count;
  }
}

it('has its own properties, and else those of the object, which keeps its private fields', () => {
  const counter = new Counter();
  const over = overlay(counter, { add: (by: number) => by, more: true });
  expect([over.add(5), over.more, over.count, over.name]).toEqual([5, true, 0, 'counter']);
  expect([counter.add(), over.count, 'more' in over, 'more' in counter]).toEqual([1, 1, true, false]);
  expect(over).toBeInstanceOf(Counter);
  expect(over.constructor).toBe(Counter);
  const bound = overlay(counter, {}).add.bind(undefined);
  expect(bound()).toBe(2);
});

it('gives a property that is fixed as it is', () => {
  const frozen = Object.freeze({ method: () => 1 });
  expect(overlay(frozen, {}).method).toBe(frozen.method);
});
