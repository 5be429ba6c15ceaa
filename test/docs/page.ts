/** A fenced block of a Markdown page, or a hidden one: an HTML comment that begins with `<!-- ts`. */
export interface Block {
  readonly language: string;
  /** What follows the language, such as `fragment`. */
  readonly words: readonly string[];
  readonly code: string;
  /** Line of the page on which the code begins, counted from 1. */
  readonly line: number;
}

export interface Page {
  /** Path from the root of the checkout. */
  readonly path: string;
  readonly blocks: readonly Block[];
  /** The lines outside of blocks, as they are; the others are empty, so that places are kept. */
  readonly prose: readonly string[];
}

const openingFence = /^(\s*)(`{3,}|~{3,})\s*([^`]*)$/;
const openingComment = /^()(<!--)\s*(ts\b.*)$/;

/**
 * Splits a page into blocks and prose.
 *
 * @throws Error if a block is not closed
 */
export function parsePage(path: string, markdown: string): Page {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  const prose = [...lines];
  for (let at = 0; at < lines.length; at += 1) {
    const [, indent = '', opening, info = ''] =
      openingFence.exec(lines[at] ?? '') ?? openingComment.exec(lines[at] ?? '') ?? [];
    if (opening === undefined) continue;
    const end = lines.findIndex((line, index) => index > at && closes(line.trim(), opening));
    if (end < 0) throw new Error(`${path}:${at + 1}: this block is not closed.`);
    const [language = '', ...words] = info.trim().split(/\s+/);
    const code = lines.slice(at + 1, end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    blocks.push({ language, words, code: code.join('\n'), line: at + 2 });
    prose.fill('', at, end + 1);
    at = end;
  }
  return { path, blocks, prose };
}

/** A fence is closed by one of the same sign that is at least as long. */
function closes(line: string, opening: string): boolean {
  if (opening === '<!--') return line === '-->';
  return line.startsWith(opening) && line === opening.charAt(0).repeat(line.length);
}
