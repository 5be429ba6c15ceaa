import { globMatches } from './glob.ts';
import type { Label } from './label.ts';
import type { Draft } from './record.ts';
import { TideTable } from './tide-table.ts';

/**
 * What this node has invalidated and the log has not taken yet. It has no position, so it covers every mark; flights,
 * which must be told apart (one that began after the write has read it), are counted by local turns.
 *
 * Labels are kept as in a tide table, only that turns take the place of positions. They are forgotten all at once, when
 * the last queued draft has left; until then the node is not attached anyway.
 */
export class Pending {
  /** Raised with every draft that is queued. */
  turn = 0;
  /** Drafts that are queued now. */
  size = 0;
  #labels: TideTable | undefined;
  #patterns: { pattern: string; turn: number }[] = [];
  #everything = 0;

  add(draft: Draft): void {
    this.turn++;
    this.size++;
    if (draft.kind === 'everything') this.#everything = this.turn;
    this.#labels ??= new TideTable(2 ** 12);
    for (const label of draft.labels) this.#labels.raise(label, this.turn);
    for (const pattern of draft.patterns) this.#patterns.push({ pattern, turn: this.turn });
  }

  leave(): void {
    if (--this.size > 0) return;
    this.#labels = undefined;
    this.#patterns = [];
    this.#everything = 0;
  }

  /** Whether something queued after `turn` covers these labels or this key; `turn` 0 asks about all of it. */
  covers(own: Label, shared: readonly Label[], plain: string, turn: number): boolean {
    if (this.size === 0) return false;
    if (this.#everything > turn) return true;
    const labels = this.#labels as TideTable;
    if (labels.newest(own) > turn || shared.some((label) => labels.newest(label) > turn)) return true;
    return this.#patterns.some((it) => it.turn > turn && globMatches(it.pattern, plain));
  }
}
