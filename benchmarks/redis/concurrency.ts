import type { Effort } from '../question.ts';

/** Readers at once. */
const WAYS = 64;

/** Does `work` for each index below `count`, so many at a time. Returns the sum of what it returns. */
export async function inWays(count: number, work: (i: number) => Promise<number>): Promise<number> {
  let next = 0;
  let sum = 0;
  const way = async (): Promise<void> => {
    while (next < count) sum += await work(next++);
  };
  await Promise.all(Array.from({ length: WAYS }, way));
  return sum;
}

/** What goes over a socket takes longer to warm up, and is more uneven, than what stays in the process. */
export function steadier({ slice, warmUp, ...effort }: Effort): Effort {
  return { ...effort, slice: 4 * slice, warmUp: 5 * warmUp };
}
