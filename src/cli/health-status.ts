import type { Paint } from './paint.ts';

/** Exit codes of commands that judge. */
export const STATUS_EXITS = { 3: 'degraded', 4: 'critical' } as const;

const CODES: Readonly<Record<string, number>> = { healthy: 0, degraded: 3, silent: 3, critical: 4 };
const COLOURS: Readonly<Record<string, Paint>> = {
  healthy: 'green',
  degraded: 'yellow',
  silent: 'yellow',
  critical: 'red',
};

/** The exit code; a status that this release does not know is taken for a bad one. */
export function statusCode(status: string): number {
  return CODES[status] ?? 4;
}

export function statusColour(status: string): Paint {
  return COLOURS[status] ?? 'red';
}
