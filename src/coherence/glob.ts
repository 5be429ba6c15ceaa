/**
 * Whether a whole text matches a glob: `*` any run of characters, `?` one (a whole code point), `\` makes the next
 * literal. Greedy with one point to return to, so time is at most the product of the two lengths, whatever the pattern.
 */
export function globMatches(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++;
      resume = t;
      continue;
    }
    const literal = glob[g] === '\\' && g + 1 < glob.length;
    if (glob[g] === '?') {
      g++;
      t = after(text, t);
    } else if (g < glob.length && glob[literal ? g + 1 : g] === text[t]) {
      g += literal ? 2 : 1;
      t++;
    } else if (star >= 0) {
      g = star + 1;
      t = resume = after(text, resume);
    } else return false;
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}

/** The index behind the code point at `i`: an emoji is one character to the people who write patterns. */
function after(text: string, i: number): number {
  return i + ((text.codePointAt(i) as number) > 0xffff ? 2 : 1);
}
