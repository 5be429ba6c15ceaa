import { shorten, TidemarkError } from '../coherence/errors.ts';
import { escapeSegment } from '../coherence/key.ts';
import { everything, key, pattern, type Target, tag } from '../coherence/target.ts';
import { type Piece, readTemplate, segmentsOf } from './template-text.ts';

/**
 * A target in writing, with the `{names}` of fields in it: `user:{userId}`, `tag org:{orgId}`, `query_cache:GetUser:*{userId}*`.
 *
 * What takes the place of a name is data, never syntax. In a key it stays within its segment, in a pattern it matches nothing
 * but itself, and a tag is one tag whatever is in it. Where nothing fits a name, the template covers more, and never something
 * else: a key what is above the name, a pattern any text in its place, and a tag, which knows nothing above it, everything.
 */
export interface Template {
  readonly kind: Target['kind'];
  readonly text: string;
  /** Of a key its segments; of others one list with all pieces. */
  readonly segments: readonly (readonly Piece[])[];
  readonly names: readonly string[];
}

/** What takes the place of a name. */
export interface Filling {
  /** As a whole segment of a canonical key. */
  readonly segment: string;
  /** As text among other text; `undefined` for what has none, such as an object. */
  readonly text: string | undefined;
}

/** A template whose names have been replaced. */
export interface Filled {
  readonly target: Target;
  /** The names that nothing fitting was found for: the target is wider for it. */
  readonly missing: readonly string[];
}

/**
 * Reads a template. A first word `key`, `tag` or `pattern` says what it is; without one it is a pattern if it holds `*` or `?`, and
 * else a key. `\` makes a `{`, `}`, `:` or `\` literal, and in a pattern `*` and `?`.
 *
 * @throws TidemarkError `INVALID_OPTION`, or the code of the target that it cannot be
 */
export function parseTemplate(text: unknown): Template {
  if (typeof text !== 'string' || text === '')
    throw new TidemarkError('INVALID_OPTION', `${shorten(text)} is no template. Write a text such as 'user:{userId}'.`);
  if (text === 'everything') return { kind: 'everything', text, segments: [], names: [] };
  const { kind, pieces } = readTemplate(text);
  const segments = kind === 'key' ? segmentsOf(pieces) : [pieces];
  const template = { kind, text, segments, names: pieces.flatMap((it) => ('name' in it ? [it.name] : [])) };
  // What is wrong whatever the value, too deep or matching every key, is wrong before there is one.
  new Form(() => ({ segment: 'x', text: 'x' })).target(template);
  return template;
}

/** Puts what is found in the place of the names. Never throws: a value that no target can hold counts as not found. */
export function fillTemplate(template: Template, find: (name: string) => Filling | undefined): Filled {
  const form = new Form(find);
  try {
    return { target: form.target(template), missing: [...form.missing] };
  } catch {
    // Too long, too deep or unprintable.
  }
  const missing = [...new Set(template.names)];
  try {
    return { target: new Form(() => undefined).target(template), missing };
  } catch {
    // A pattern that has nothing but names.
    return { target: everything(), missing };
  }
}

/** Fills in one template. */
class Form {
  readonly missing = new Set<string>();
  readonly #find: (name: string) => Filling | undefined;

  constructor(find: (name: string) => Filling | undefined) {
    this.#find = find;
  }

  /** @throws TidemarkError where no target can hold the values */
  target({ kind, segments }: Template): Target {
    const pieces = segments[0] ?? [];
    switch (kind) {
      case 'key':
        return this.#key(segments);
      case 'tag': {
        const text = this.#join(pieces, (it) => it);
        return text === undefined ? everything() : tag(text);
      }
      case 'pattern':
        return pattern(pieces.map((it) => ('text' in it ? it.text : this.#glob(it.name))).join(''));
      case 'everything':
        return everything();
      default:
        return kind satisfies never;
    }
  }

  #key(segments: Template['segments']): Target {
    const path: string[] = [];
    for (const pieces of segments) {
      const [first] = pieces;
      const whole = pieces.length === 1 && first !== undefined && 'name' in first;
      const segment = whole ? this.#have(first.name, 'segment') : this.#join(pieces, escapeSegment);
      if (segment === undefined) return path.length === 0 ? everything() : key(path.join(':'));
      path.push(segment);
    }
    return key(path.join(':'));
  }

  /** The pieces as one text; `undefined` if one of them is missing. */
  #join(pieces: readonly Piece[], escape: (text: string) => string): string | undefined {
    const texts = pieces.map((it) => {
      if ('text' in it) return it.text;
      const text = this.#have(it.name, 'text');
      return text === undefined ? undefined : escape(text);
    });
    return texts.includes(undefined) ? undefined : texts.join('');
  }

  /** An empty value would leave its neighbours, often two stars, to match anything: so it is missing, and said to be. */
  #glob(name: string): string {
    const text = this.#have(name, 'text');
    if (text === undefined || text === '') {
      this.missing.add(name);
      return '*';
    }
    return text.replace(/[*?\\]/g, '\\$&');
  }

  #have(name: string, as: keyof Filling): string | undefined {
    const found = this.#find(name)?.[as];
    if (found === undefined) this.missing.add(name);
    return found;
  }
}
