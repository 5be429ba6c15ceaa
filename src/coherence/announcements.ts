import { globMatches } from './glob.ts';
import { type Label, sameLabel } from './label.ts';

/** A strict write that is under way: what it covers is neither served, joined nor stored until a record closes it. */
export interface Announcement {
  /** The message id of the record that announced it. */
  readonly id: string;
  readonly number: number;
  readonly labels: readonly Label[];
  readonly patterns: readonly string[];
}

/** The announcements that are open, as far as a node has applied the log. */
export class Announcements {
  readonly #open = new Map<string, Announcement>();

  get size(): number {
    return this.#open.size;
  }

  open(announcement: Announcement): void {
    this.#open.set(announcement.id, announcement);
  }

  close(id: string): void {
    this.#open.delete(id);
  }

  clear(): void {
    this.#open.clear();
  }

  /** Whether one of them covers an entry with these labels and this key, escapes removed. */
  cover(labels: readonly Label[], plain: string): boolean {
    for (const it of this.#open.values()) {
      if (it.labels.some((label) => labels.some((other) => sameLabel(label, other)))) return true;
      if (it.patterns.some((glob) => globMatches(glob, plain))) return true;
    }
    return false;
  }

  list(): Announcement[] {
    return [...this.#open.values()];
  }
}
