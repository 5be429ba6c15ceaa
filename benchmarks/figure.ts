/** A number as people read it: three digits that mean something, thousands apart. */
export function figure(number: number): string {
  if (!Number.isFinite(number)) return '-';
  const size = Math.abs(number);
  if (size < 0.005) return '0';
  if (size >= 100) return Math.round(number).toLocaleString('en');
  return size >= 10 ? number.toFixed(1) : number.toFixed(2);
}

/** How many times another cost: `0.52x`, `25x`. */
export function times(ratio: number): string {
  if (!Number.isFinite(ratio)) return '-';
  return `${ratio >= 10 ? Math.round(ratio).toLocaleString('en') : ratio.toFixed(2)}x`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
