import type { Logger } from '../coherence/logger.ts';

/** A logger of lines of text: `console`, NestJS' `Logger`. */
export interface LineLogger {
  debug(line: string): void;
  log(line: string): void;
  warn(line: string): void;
  error(line: string, stack?: string): void;
}

/**
 * What a cache has to say, for a logger of lines of text.
 *
 * @example createCache({ name: 'shop', logger: textLogger(console) })
 */
export function textLogger(lines: LineLogger): Logger {
  return {
    debug: (_fields, message) => lines.debug(message),
    info: (_fields, message) => lines.log(message),
    warn: (fields, message) => lines.warn(withCause(fields, message)),
    error: (fields, message) => lines.error(withCause(fields, message), ...stackOf(fields)),
  };
}

/** The fields are for logs of fields; of them, a line of text needs the error. */
function withCause(fields: { readonly err?: unknown }, message: string): string {
  const { err } = fields;
  return err instanceof Error ? `${message} (${err.message})` : message;
}

function stackOf({ err }: { readonly err?: unknown }): string[] {
  return err instanceof Error && err.stack !== undefined ? [err.stack] : [];
}
