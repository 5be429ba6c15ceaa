import { UsageError } from './usage-error.ts';

/** How a command ends, by what it threw. */
const FAILED = 1;
const MISUSED = 2;

/**
 * Runs a command. What it throws is told in a line or two, without a stack: 1 is the exit code where something did not work, and 2
 * where the command or its configuration has to be mended.
 */
export async function reported(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.exitCode = error instanceof UsageError || codeOf(error) === 'INVALID_OPTION' ? MISUSED : FAILED;
    process.stderr.write(`tidemark: ${messageOf(error)}\n`);
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A failed attempt at several addresses has no message of its own.
  const several = error instanceof AggregateError ? error.errors.map(messageOf).join('; ') : '';
  return error.message === '' ? several || codeOf(error) || error.name : error.message;
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | null | undefined)?.code;
}
