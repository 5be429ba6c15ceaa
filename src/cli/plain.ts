/** Controls, ends of lines, and what turns the direction of a text. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Text of others, such as keys and names of events, for a terminal: what would move its cursor is written out. */
export function plain(text: string): string {
  return text.replace(CONTROLS, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
