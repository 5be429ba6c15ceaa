/** The middle of some numbers, or the mean of the two in the middle. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/** The number below which a share of the others lies, interpolated. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** How far the middle half of the samples reaches from the median, as a share of it. */
export function spread(numbers: readonly number[]): number {
  return (quantile(numbers, 0.75) - quantile(numbers, 0.25)) / 2 / median(numbers);
}

/** The median of the quotients of samples taken in the same rounds: what disturbed a round disturbed both. */
export function pairedRatio(numbers: readonly number[], others: readonly number[]): number {
  return median(numbers.map((number, round) => number / (others[round] as number)));
}
