import { globMatches } from '../../src/coherence/glob.ts';
import { keyLabel, type Label, labelText, tagLabel } from '../../src/coherence/label.ts';
import { coverageOf, type Draft } from '../../src/coherence/record.ts';
import { everything, key, pattern, tag, type Target } from '../../src/coherence/target.ts';

/**
 * The ways of reading a row. They differ in the tags that the reader brings, and so in what an invalidation by tag
 * promises them: `typed` is a query tagged with the organisation, `newer` the same query in a later release with one
 * more tag, `tagged` a `getOrSet` with other tags, `bare` one without any, `keyv` a Keyv under keys of its own. Loaders of all
 * but the last add the tag of the row's kind, which only the row knows.
 */
export const SITES = ['typed', 'newer', 'tagged', 'bare', 'keyv'] as const;
export type Site = (typeof SITES)[number];

/** What a writer may name in order to cover a row. */
export const TARGET_KINDS = ['key', 'prefix', 'tag', 'extra', 'dynamic', 'pattern', 'everything'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** The query that all rows belong to. */
export const QUERY = 'row';

const ORGANISATIONS = 2;
const KINDS = 3;

/** Rows, the keys and tags that they are cached under, and what covers them. A cell is a row read at one site. */
export class Catalogue {
  readonly rows: number;
  /** Every cell. */
  readonly all: readonly number[];
  readonly #byLabel = new Map<string, readonly number[]>();

  constructor(rows: number) {
    this.rows = rows;
    this.all = Array.from({ length: rows * SITES.length }, (_, cell) => cell);
    const labels = new Map<string, number[]>();
    for (const cell of this.all) {
      for (const label of this.#labelsOf(cell)) {
        const text = labelText(label);
        labels.set(text, [...(labels.get(text) ?? []), cell]);
      }
    }
    this.#byLabel = labels;
  }

  cell(row: number, site: Site): number {
    return row * SITES.length + SITES.indexOf(site);
  }

  rowOf(cell: number): number {
    return Math.floor(cell / SITES.length);
  }

  siteOf(cell: number): Site {
    return SITES[cell % SITES.length] as Site;
  }

  organisation(row: number): string {
    return `o${row % ORGANISATIONS}`;
  }

  id(row: number): string {
    return `r${row}`;
  }

  kind(row: number): string {
    return `kind:${row % KINDS}`;
  }

  /** The canonical key. */
  key(row: number): string {
    return `${QUERY}:${this.organisation(row)}:${this.id(row)}`;
  }

  /** The tags that a reader brings at a site. */
  tags(row: number, site: Site): readonly string[] {
    const organisation = `org:${this.organisation(row)}`;
    switch (site) {
      case 'typed':
        return [organisation];
      case 'newer':
        return [organisation, `extra:${row}`];
      case 'tagged':
        return [`set:${this.id(row)}`, organisation];
      case 'bare':
      case 'keyv':
        return [];
      default:
        return site satisfies never;
    }
  }

  /** A target of this kind that covers a row for a reader at the sites that it can reach. */
  target(kind: TargetKind, row: number, draw: number): Target {
    switch (kind) {
      case 'key':
        return key(QUERY, this.organisation(row), this.id(row));
      case 'prefix':
        return draw < 0.9 ? key(QUERY, this.organisation(row)) : key(QUERY);
      case 'tag':
        return tag(`org:${this.organisation(row)}`);
      case 'extra':
        return tag(draw < 0.5 ? `extra:${row}` : `set:${this.id(row)}`);
      case 'dynamic':
        return tag(this.kind(row));
      case 'pattern':
        return pattern(
          draw < 0.5 ? `*:${this.id(row)}` : draw < 0.8 ? `row:${this.organisation(row)}:*` : `r?w:*:${this.id(row)}`,
        );
      case 'everything':
        return everything();
      default:
        return kind satisfies never;
    }
  }

  /** The cells that are covered for whoever names each row by a target of this kind. */
  mapped(kind: TargetKind): readonly number[] {
    const rows = Array.from({ length: this.rows }, (_, row) => row);
    return rows.flatMap((row) => {
      const cells = this.covered(coverageOf([this.target(kind, row, 0)]));
      return cells.filter((cell) => this.rowOf(cell) === row);
    });
  }

  /** The cells that a record, or a draft of one, covers. */
  covered(draft: Pick<Draft, 'kind' | 'labels' | 'patterns'>): readonly number[] {
    if (draft.kind === 'everything') return this.all;
    if (draft.labels.length === 1 && draft.patterns.length === 0) return this.#labelled(draft.labels[0] as Label);
    const cells = new Set<number>();
    for (const label of draft.labels) for (const cell of this.#labelled(label)) cells.add(cell);
    for (const glob of draft.patterns) {
      for (const cell of this.all) if (globMatches(glob, this.#keys(cell).at(-1) as string)) cells.add(cell);
    }
    return [...cells].sort((a, b) => a - b);
  }

  #labelled(label: Label): readonly number[] {
    return this.#byLabel.get(labelText(label)) ?? NONE;
  }

  #labelsOf(cell: number): Label[] {
    const row = this.rowOf(cell);
    const site = this.siteOf(cell);
    const tags = site === 'keyv' ? [] : [...this.tags(row, site), this.kind(row)];
    return [...this.#keys(cell).map(keyLabel), ...tags.map(tagLabel)];
  }

  /** The key of a cell, after those above it. */
  #keys(cell: number): string[] {
    const row = this.rowOf(cell);
    if (this.siteOf(cell) === 'keyv') return ['keyv', 'keyv:', `keyv::${this.id(row)}`];
    return [QUERY, `${QUERY}:${this.organisation(row)}`, this.key(row)];
  }
}

const NONE: readonly number[] = [];
