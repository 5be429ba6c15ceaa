/** Something that happens at a moment of virtual time. */
export interface Happening {
  readonly time: number;
  /** Decides among happenings of the same moment; the smaller comes first. */
  readonly tie: number;
  /** Replaced by `undefined` when it was cancelled. */
  run: (() => void) | undefined;
}

/** A binary heap of happenings, earliest first. */
export class EventHeap {
  readonly #items: Happening[] = [];

  get size(): number {
    return this.#items.length;
  }

  push(item: Happening): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = items[above] as Happening;
      if (!isBefore(item, parent)) break;
      items[at] = parent;
      at = above;
    }
    items[at] = item;
  }

  /** The earliest, if it happens at `until` or before; what was cancelled is passed over. */
  pop(until: number): Happening | undefined {
    for (;;) {
      const first = this.#items[0];
      if (first === undefined || first.time > until) return undefined;
      this.#removeFirst();
      if (first.run !== undefined) return first;
    }
  }

  #removeFirst(): void {
    const items = this.#items;
    const last = items.pop() as Happening;
    if (items.length === 0) return;
    let at = 0;
    for (;;) {
      let next = at * 2 + 1;
      if (next >= items.length) break;
      if (next + 1 < items.length && isBefore(items[next + 1] as Happening, items[next] as Happening)) next++;
      const child = items[next] as Happening;
      if (!isBefore(child, last)) break;
      items[at] = child;
      at = next;
    }
    items[at] = last;
  }
}

function isBefore(a: Happening, b: Happening): boolean {
  return a.time < b.time || (a.time === b.time && a.tie < b.tie);
}
