/** What a service has before anybody thinks of a cache. */
export class Database {
  readonly #names = new Map([['7', 'Ada']]);
  reads = 0;

  async user(id: string): Promise<{ id: string; name: string }> {
    this.reads++;
    return { id, name: this.#names.get(id) ?? 'nobody' };
  }

  async rename(id: string, name: string): Promise<void> {
    this.#names.set(id, name);
  }
}
