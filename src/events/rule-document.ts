import { TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { DocumentReader, type Mistake } from './document-reader.ts';
import type { DomainEvent, EventOf } from './rule.ts';
import { defineRules, type Strategy } from './strategy.ts';

/** The events that there are, each with its fields: what a document names besides is a mistake in it. */
export type KnownEvents<E extends DomainEvent> = {
  readonly [K in E['type']]: readonly (keyof EventOf<E, K> & string)[];
};

export interface RuleDocumentOptions<E extends DomainEvent> {
  /** Checks the names of events and of their fields, too. */
  readonly events?: KnownEvents<E>;
  /** The name of the strategy where the document gives none; default `'rules'`. */
  readonly name?: string;
}

/**
 * Reads rules that are written down as data, from a file or a settings service. All mistakes are found at once.
 *
 * @param document what `JSON.parse` made of it; the format is in docs/rules.md
 * @throws TidemarkError `INVALID_OPTION`, with every mistake and where it is
 * @example
 * const identity = parseRules<DomainEvents>({ rules: { 'user.updated': ['user:{userId}', 'tag org:{orgId}'] } });
 */
export function parseRules<E extends DomainEvent>(
  document: unknown,
  options: RuleDocumentOptions<E> = {},
): Strategy<E> {
  checkKnown(options, ['events', 'name'], 'parseRules()');
  const { strategy, mistakes } = readDocument<E>(document, options);
  if (strategy !== undefined) return strategy;
  throw mistaken('The rules', mistakes, ({ path }) => describePath(path));
}

/** @param place where a mistake is */
export function mistaken(
  what: string,
  mistakes: readonly Mistake[],
  place: (mistake: Mistake) => string,
): TidemarkError {
  const lines = mistakes.map((it) => `\n  ${place(it)}: ${it.problem}`);
  return new TidemarkError(
    'INVALID_OPTION',
    `${what}: ${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}.${lines.join('')}`,
  );
}

/** `rules["user.updated"][0].targets`, as one would write it to get there. */
export function describePath(path: readonly (string | number)[]): string {
  const parts = path.map((it) => {
    if (typeof it === 'number') return `[${it}]`;
    return /^[\w$]+$/.test(it) ? `.${it}` : `[${JSON.stringify(it)}]`;
  });
  return parts.join('').replace(/^\./, '') || 'the document';
}

/** What a document says, or all that is wrong with it. */
export function readDocument<E extends DomainEvent>(
  document: unknown,
  { events, name }: RuleDocumentOptions<E>,
): { strategy: Strategy<E> | undefined; mistakes: readonly Mistake[] } {
  const reader = new DocumentReader(events);
  const read = reader.read(document);
  if (reader.mistakes.length > 0) return { strategy: undefined, mistakes: reader.mistakes };
  const { cascades, modes } = read;
  const options = { name: read.name ?? name ?? 'rules', cascades, modes };
  const strategy = defineRules<DomainEvent>(read.rules, options) as unknown as Strategy<E>;
  return { strategy, mistakes: [] };
}
