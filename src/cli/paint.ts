import { styleText } from 'node:util';

export type Paint = Parameters<typeof styleText>[0];

/** Colours for people: none where the output goes elsewhere, nor where `NO_COLOR` is set. */
export function paint(format: Paint, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  const { NO_COLOR, TERM } = process.env;
  if (!stream.isTTY || (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb') return text;
  return styleText(format, text);
}
