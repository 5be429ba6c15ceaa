import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram, mergeLatency } from './histogram.ts';
import type { LatencyState } from './latency.ts';

function of(...values: readonly number[]): Histogram {
  const made = new Histogram();
  for (const value of values) made.record(value);
  return made;
}

/** From a microsecond to a minute. */
const durations = fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });

/** The smallest value that so many percent are not above. */
function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] as number;
}

function expectClose(found: number | undefined, exact: number): void {
  expect(found).toBeGreaterThanOrEqual(exact - 0.000_6);
  expect(found).toBeLessThanOrEqual(exact * 1.01 + 0.001);
}

describe('a histogram', () => {
  it('says nothing before it has measured anything, and of what is no duration', () => {
    const none = { count: 0, p50: undefined, p95: undefined, p99: undefined, max: undefined, mean: undefined };
    expect(new Histogram().latency).toEqual(none);
    expect(of(-1, Number.NaN).latency).toEqual(none);
  });

  it('is within 1 % of every percentile', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const { count, p50, p95, p99, max, mean } = of(...values).latency;
        expect(count).toBe(values.length);
        for (const [found, percent] of [
          [p50, 50],
          [p95, 95],
          [p99, 99],
          [max, 100],
        ] as const)
          expectClose(found, percentile(values, percent));
        expect(mean).toBeCloseTo(values.reduce((sum, it) => sum + it, 0) / values.length, 6);
      }),
    );
  });

  it('counts what takes longer than an hour as an hour', () => {
    expectClose(of(1e12).latency.max, 3_600_000);
  });

  it('merges what several have measured as if one had', () => {
    fc.assert(
      fc.property(fc.array(durations, { minLength: 1, maxLength: 5 }), (nodes) => {
        const { mean, ...merged } = mergeLatency(
          nodes.map((values) => JSON.parse(JSON.stringify(of(...values).state)) as LatencyState),
        );
        const { mean: exact, ...one } = of(...nodes.flat()).latency;
        expect(merged).toEqual(one);
        expect(mean).toBeCloseTo(exact as number, 6);
      }),
    );
    expect(mergeLatency([of().state, of(2).state]).count).toBe(1);
    expect(mergeLatency([]).p95).toBeUndefined();
  });

  it('stays small where it is sent, whatever was measured', () => {
    const many = of(...Array.from({ length: 20_000 }, (_, i) => 1.001 ** i % 10_000));
    expect(JSON.stringify(many.state).length).toBeLessThan(4_096);
  });

  it.each([
    { counts: 'AAAA', sum: 1 },
    { counts: of(1).state.counts, sum: Number.NaN },
    { counts: 'ß', sum: 0 },
  ])('refuses %j', (state) => {
    expect(() => mergeLatency([state])).toThrow(/is no latency of a node/);
  });

  it('gives what only a part was measured of its true weight', () => {
    const all = of(10, 10);
    all.add(of(1), 98);
    expect(all.latency).toMatchObject({ count: 100 });
    expectClose(all.latency.p50, 1);
    expectClose(all.latency.p99, 10);
    expect(all.latency.mean).toBeCloseTo(1.18);
  });

  it('knows what came since, and goes on by itself', () => {
    const all = of(1, 1, 500);
    const before = all.copy();
    all.record(3);
    expect(before.count).toBe(3);
    expect(all.since(before).latency).toMatchObject({ count: 1, mean: 3 });
    expectClose(all.since(before).latency.max, 3);
  });

  it('counts up to bounds, those on them included', () => {
    expect(of(1, 2, 2.5, 90).upTo([0.5, 1, 2.5, 100])).toEqual([0, 1, 3, 4]);
    expect(new Histogram().upTo([1])).toEqual([0]);
  });
});

it('gives what was measured of a part the weight of all, and what nobody has measured that of 0 ms', () => {
  const [all, part] = [new Histogram(), new Histogram()];
  all.record(300);
  part.record(2);
  all.addPart(part, 99);
  expect([all.count, all.latency.p50, all.latency.max]).toEqual([100, expect.closeTo(2, 1), expect.closeTo(300, -1)]);
  const unmeasured = new Histogram();
  unmeasured.record(300);
  unmeasured.addPart(new Histogram(), 99);
  expect([unmeasured.count, unmeasured.latency.p95, unmeasured.sum]).toEqual([100, 0, 300]);
  unmeasured.addPart(new Histogram(), 0);
  expect(unmeasured.count).toBe(100);
});
