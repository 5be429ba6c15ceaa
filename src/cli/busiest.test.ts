import { expect, it } from 'vitest';
import { aspects, busiest, type CountedRecord } from './busiest.ts';

const now = 1_000_000;
const record = (rest: Partial<CountedRecord>): CountedRecord => ({
  kind: 'invalidate',
  origin: 'a#1',
  time: now,
  ...rest,
});

it('counts what the records of the last minute are about', () => {
  const records = [
    record({ targets: ['tag org:7', 'key user:1'], cause: { event: 'saved', fields: { org: '7' } } }),
    record({ targets: ['tag org:7', 'tag org:7'], cause: { event: 'saved', fields: { tenant: '7' } } }),
    record({ kind: 'everything', origin: 'b#2' }),
    record({ targets: ['tag old'], time: now - 60_000 }),
  ];
  expect(busiest(records, now, aspects.targets)).toEqual([
    { name: 'tag org:7', perMinute: 2 },
    { name: 'key user:1', perMinute: 1 },
    { name: 'everything', perMinute: 1 },
  ]);
  expect(busiest(records, now, aspects.causes)).toEqual([
    { name: 'saved by a#1', perMinute: 2 },
    { name: '(no event) by b#2', perMinute: 1 },
  ]);
  expect(busiest(records, now, aspects.tenants)).toEqual([{ name: '7', perMinute: 2 }]);
});
