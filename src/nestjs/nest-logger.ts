import { Logger as NestLogger } from '@nestjs/common';
import type { Logger } from '../coherence/logger.ts';

/** What the cache has to say, in the application's own log, under the context `Tidemark`. */
export function nestLogger(): Logger {
  const logger = new NestLogger('Tidemark');
  return {
    debug: (_fields, message) => logger.debug(message),
    info: (_fields, message) => logger.log(message),
    warn: (fields, message) => logger.warn(withCause(fields, message)),
    error: (fields, message) => logger.error(withCause(fields, message)),
  };
}

/** The fields are for logs of fields; of them, a line of text needs the error. */
function withCause(fields: { readonly err?: unknown }, message: string): string {
  const { err } = fields;
  return err instanceof Error ? `${message} (${err.message})` : message;
}
