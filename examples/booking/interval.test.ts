import { expect, it } from 'vitest';
import { freeTime, type Interval, intervalFrom, overlaps, startsIn } from './interval.ts';

const at = (clock: string): string => `2026-03-02T${clock}:00.000Z`;
const span = (text: string): Interval => {
  const [start = '', end = ''] = text.split('-');
  return { start: at(start), end: at(end) };
};
const shown = (list: readonly Interval[]): string[] =>
  list.map((it) => `${it.start.slice(11, 16)}-${it.end.slice(11, 16)}`);

it.each<[string[], string[]]>([
  [[], ['09:00-17:00']],
  [['10:00-11:00'], ['09:00-10:00', '11:00-17:00']],
  [
    ['13:00-14:00', '10:00-11:00'],
    ['09:00-10:00', '11:00-13:00', '14:00-17:00'],
  ],
  [
    ['10:00-12:00', '10:30-11:00', '11:30-13:00'],
    ['09:00-10:00', '13:00-17:00'],
  ],
  [['08:00-09:30', '16:30-18:00'], ['09:30-16:30']],
  [['07:00-08:00', '18:00-19:00'], ['09:00-17:00']],
  [['09:00-17:00'], []],
  [['08:00-20:00'], []],
  [
    ['10:00-11:00', '11:00-12:00'],
    ['09:00-10:00', '12:00-17:00'],
  ],
])('of 09:00 to 17:00 without %j is left %j', (busy, free) => {
  expect(shown(freeTime(span('09:00-17:00'), busy.map(span)))).toEqual(free);
});

it('leaves nothing where nobody works', () => {
  expect(freeTime(undefined, [])).toEqual([]);
});

it('begins every 15 minutes, where there is time enough', () => {
  const starts = (free: string[], minutes: number): string[] =>
    startsIn(free.map(span), minutes).map((it) => it.slice(11, 16));
  expect(starts(['09:00-10:00'], 30)).toEqual(['09:00', '09:15', '09:30']);
  expect(starts(['09:05-10:00', '11:00-11:15', '12:00-12:10'], 15)).toEqual(['09:15', '09:30', '09:45', '11:00']);
  expect(starts(['09:00-10:00'], 61)).toEqual([]);
});

it('knows what overlaps, and what is no time', () => {
  expect(overlaps(span('09:00-10:00'), span('10:00-11:00'))).toBe(false);
  expect(overlaps(span('09:00-10:01'), span('10:00-11:00'))).toBe(true);
  expect(intervalFrom('2026-03-02T09:00:00+01:00', 30)).toEqual(span('08:00-08:30'));
  expect(intervalFrom('next monday', 30)).toBeUndefined();
});
