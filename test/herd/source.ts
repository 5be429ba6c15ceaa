/** Something slow that must not be asked too much at once: what stands behind the caches of a herd. */
export class Source {
  /** How long a load takes, in ms. */
  time = 0;
  /** Since when two loads of one key at once are counted; before, leases of a server that died may be lost. */
  since = Number.POSITIVE_INFINITY;
  readonly #running = new Map<number, number>();
  readonly #underWay = new Map<string, number>();
  #total = 0;
  most = 0;
  mostOfOne = 0;
  doubles = 0;
  loads = 0;

  /** One load of one process. */
  async load(node: number, key: string): Promise<void> {
    const now = performance.now();
    const other = this.#underWay.get(key);
    if (other !== undefined && other > this.since) this.doubles++;
    this.#underWay.set(key, now);
    const own = (this.#running.get(node) ?? 0) + 1;
    this.#running.set(node, own);
    this.#total++;
    this.loads++;
    this.most = Math.max(this.most, this.#total);
    this.mostOfOne = Math.max(this.mostOfOne, own);
    await new Promise((resolve) => setTimeout(resolve, this.time));
    this.#total--;
    this.#running.set(node, (this.#running.get(node) ?? 1) - 1);
    if (this.#underWay.get(key) === now) this.#underWay.delete(key);
  }

  /** Forgets the peaks. */
  reset(): void {
    this.most = this.mostOfOne = this.doubles = this.loads = 0;
  }
}
