import { shorten, TidemarkError } from '../coherence/errors.ts';
import { canonicalKey } from '../coherence/key.ts';
import type { Target } from '../coherence/target.ts';

/** A part of a template: text, in the syntax of its kind of target, or the name of the field that takes its place. */
export type Piece = { readonly text: string } | { readonly name: string };

const KIND = /^(key|tag|pattern) /;

/** A name is a field, or a path of fields: `userId`, `data.user.id`. */
const NAME = /^[\p{L}\p{N}_$][\p{L}\p{N}_$-]*(\.[\p{L}\p{N}_$][\p{L}\p{N}_$-]*)*$/u;

/** What a written template is a template of, and its parts. */
export function readTemplate(text: string): { kind: Exclude<Target['kind'], 'everything'>; pieces: Piece[] } {
  const kind = KIND.exec(text)?.[1];
  const pieces = piecesOf(text.slice(kind === undefined ? 0 : kind.length + 1), text);
  if (kind === 'key' || kind === 'tag' || kind === 'pattern') return { kind, pieces };
  const wild = pieces.some((it) => 'text' in it && /[*?]/.test(it.text.replace(/\\./gs, '')));
  return { kind: wild ? 'pattern' : 'key', pieces };
}

/** Cuts a text at its names. A `\` keeps what follows, but for braces, which mean nothing to targets. */
function piecesOf(body: string, template: string): Piece[] {
  const pieces: Piece[] = [];
  let text = '';
  for (let i = 0; i < body.length; i++) {
    const char = body[i] as string;
    if (char === '\\') {
      const next = body[++i] ?? '';
      text += next === '{' || next === '}' ? next : char + next;
    } else if (char === '{') {
      const end = body.indexOf('}', i);
      if (text !== '') pieces.push({ text });
      pieces.push({ name: checkName(end === -1 ? undefined : body.slice(i + 1, end), template) });
      text = '';
      i = end;
    } else if (char === '}') throw wrong(template, 'closes a brace that is not open. Write \\} for the character');
    else text += char;
  }
  return text === '' ? pieces : [...pieces, { text }];
}

function checkName(name: string | undefined, template: string): string {
  if (name === undefined) throw wrong(template, 'opens a brace that is not closed. Write \\{ for the character');
  if (NAME.test(name)) return name;
  throw wrong(
    template,
    `names ${shorten(name)}, which is no field. Write {userId}, or {user.id} for a field in a field`,
  );
}

/** Cuts the pieces of a key at each `:` that is not escaped; the texts in them become canonical. */
export function segmentsOf(pieces: readonly Piece[]): Piece[][] {
  let segment: Piece[] = [];
  const segments = [segment];
  for (const piece of pieces) {
    if ('name' in piece) {
      segment.push(piece);
      continue;
    }
    for (const [i, text] of splitPath(piece.text).entries()) {
      if (i > 0) segments.push((segment = []));
      if (text !== '') segment.push({ text: canonicalKey(text) });
    }
  }
  return segments;
}

/** The segments of a path, with their escapes: cut at each `:` that has none. */
export function splitPath(path: string): string[] {
  const segments = [''];
  for (const [part] of path.matchAll(/\\.?|:|[^:\\]+/gs)) {
    if (part === ':') segments.push('');
    else segments[segments.length - 1] += part;
  }
  return segments;
}

function wrong(template: string, problem: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `The template ${shorten(template)} ${problem}.`);
}
