/** As pino's numbers. */
const LEVELS = { debug: 20, info: 30, warn: 40, error: 50 } as const;

type Level = keyof typeof LEVELS;

/** The part of a pino logger that the library uses. */
export type TerminalLogger = Readonly<Record<Level, (fields: object, message: string) => void>>;

/**
 * Log lines for a terminal, or for a collector of logs.
 *
 * @param write takes a line, its end included
 * @param json whether in the shape of pino's; else `2025-11-03T09:00:00.000Z warn relay_standby: ...`
 * @param least the least level that is written
 */
export function terminalLogger(write: (line: string) => void, json: boolean, least: Level = 'info'): TerminalLogger {
  const at =
    (level: Level) =>
    (fields: object, message: string): void => {
      if (LEVELS[level] < LEVELS[least]) return;
      const time = new Date();
      if (json)
        write(`${JSON.stringify({ level: LEVELS[level], time: time.getTime(), ...fields, msg: message }, plain)}\n`);
      else write(`${time.toISOString()} ${level} ${message}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** What JSON cannot say. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (!(value instanceof Error)) return value;
  return { type: value.name, message: value.message, code: (value as { code?: unknown }).code, stack: value.stack };
}
