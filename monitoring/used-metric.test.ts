import { describe, expect, it } from 'vitest';
import { usedMetrics, wrongUses } from './used-metric.ts';

describe('metrics of a query', () => {
  it('are found with what is done to them', () => {
    expect(usedMetrics('sum by (cache) (rate(tidemark_hits_total{tier="memory"}[5m])) > tidemark_attached')).toEqual([
      { name: 'tidemark_hits_total', in: 'rate', range: '5m', labels: ['tier'] },
      { name: 'tidemark_attached', in: '', range: '', labels: [] },
    ]);
  });

  it.each([
    ['1 + 1', 'reads no metric'],
    ['tidemark_atached == 0', 'not in the list'],
    ['tidemark_hits_total > 5', 'only grows'],
    ['rate(tidemark_attached[5m])', 'is a gauge'],
    ['rate(tidemark_hits_total)', 'in rate() with ""'],
    ['sum(tidemark_attached[5m])', 'in sum() with "5m"'],
    ['rate(tidemark_read_duration_seconds[5m])', 'is a histogram'],
    ['tidemark_attached{tier="memory"}', 'has no label "tier"'],
    ['sum by (tier) (tidemark_attached)', 'no metric of it has the label "tier"'],
    ['histogram_quantile(0.95, rate(tidemark_hits_total[5m]))', 'has no buckets'],
  ])('%s is wrong', (expr, problem) => {
    expect(wrongUses(expr).join()).toContain(problem);
  });

  it('may be right', () => {
    expect(
      wrongUses(
        'histogram_quantile(0.95, sum by (le) (rate(tidemark_read_duration_seconds_bucket{from="store"}[5m])))',
      ),
    ).toEqual([]);
    expect(wrongUses('max by (job) (last_over_time(tidemark_attached[1h])) and on (job) up == 0')).toEqual([]);
  });
});
