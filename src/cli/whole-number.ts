import { UsageError } from './usage-error.ts';

/** A number from 1 on, as it was typed. @throws UsageError */
export function wholeNumber(text: string, flag: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} ${text}: give a whole number from 1 on.`);
}
