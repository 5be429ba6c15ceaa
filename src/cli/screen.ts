const CLEAR = '\u001b[H\u001b[2J\u001b[3J';

/**
 * Shows text after text: on a terminal each in the place of the one before, elsewhere one below the other.
 *
 * @param text without an end of its last line
 */
export function show(text: string, first: boolean): void {
  const { stdout } = process;
  const before = stdout.isTTY ? CLEAR : first ? '' : '\n';
  stdout.write(`${before}${text}\n`);
}

/** JSON on a line of its own. */
export function line(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

/** Text and its end. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
