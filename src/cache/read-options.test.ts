import { describe, expect, it } from 'vitest';
import { DEFAULT_READ_SETTINGS, type ReadOptions, readSettings } from './read-options.ts';

const read = (options: ReadOptions) => readSettings(options, DEFAULT_READ_SETTINGS, 'here');
const DURATION =
  "is not a duration. Give milliseconds from 0 to 315360000000, or a text such as '250ms', '30s', '5m', '2h' or '10d'.";

describe('readSettings', () => {
  it('are the defaults where nothing is said', () => {
    expect(readSettings(undefined, DEFAULT_READ_SETTINGS, 'here')).toBe(DEFAULT_READ_SETTINGS);
    expect(read({})).toEqual(DEFAULT_READ_SETTINGS);
  });

  it('are in milliseconds', () => {
    const durations = { grace: '1m', timeout: '2s', softTimeout: '250ms', negativeTtl: 7, maxStaleness: '2h' } as const;
    expect(
      read({ ttl: '1d', ...durations, eagerRefresh: 0.8, jitter: 0.1, atLeast: '1.queued', enabled: true }),
    ).toEqual({
      memoryTtl: 86_400_000,
      storeTtl: 86_400_000,
      grace: 60_000,
      timeout: 2_000,
      softTimeout: 250,
      negativeTtl: 7,
      maxStaleness: 7_200_000,
      eagerRefresh: 0.8,
      jitter: 0.1,
      atLeast: '1.queued',
      mode: 'on',
    });
  });

  it('go over those they are given', () => {
    const base = read({ ttl: { memory: 1, store: 2 }, grace: 3, enabled: false });
    expect(readSettings({ ttl: { store: 20 }, enabled: true }, base, 'here')).toMatchObject({
      memoryTtl: 1,
      storeTtl: 20,
      grace: 3,
      mode: 'on',
    });
    expect(readSettings({ grace: 0 }, base, 'here')).toMatchObject({ grace: 0, mode: 'off' });
  });

  it.each<[ReadOptions, ReadOptions, string]>([
    [{ mode: 'shadow' }, {}, 'shadow'],
    [{ mode: 'shadow' }, { enabled: false }, 'off'],
    [{ enabled: false }, { mode: 'shadow' }, 'shadow'],
    [{ mode: 'off' }, { enabled: true }, 'on'],
  ])('of %j, then %j: the last word on the switch counts', (first, then, mode) => {
    expect(readSettings(then, read(first), 'here').mode).toBe(mode);
  });

  it('refuse to be told twice', () => {
    expect(() => read({ mode: 'shadow', enabled: true })).toThrow(
      'here: enabled and mode are one switch. Give mode alone.',
    );
  });

  it.each<[string, unknown, string]>([
    ['ttl', '5min', `ttl: "5min" ${DURATION}`],
    ['ttl', -1, `ttl: -1 ${DURATION}`],
    ['ttl', Number.NaN, `ttl: NaN ${DURATION}`],
    ['ttl', Number.POSITIVE_INFINITY, `ttl: Infinity ${DURATION}`],
    ['ttl', '11y', `ttl: "11y" ${DURATION}`],
    ['ttl', 4e11, `ttl: 400000000000 ${DURATION}`],
    ['ttl', null, `ttl: null ${DURATION}`],
    ['ttl', { memory: 'x' }, `ttl.memory: "x" ${DURATION}`],
    ['ttl', { store: '' }, `ttl.store: "" ${DURATION}`],
    ['grace', '1', `grace: "1" ${DURATION}`],
    ['timeout', true, `timeout: true ${DURATION}`],
    ['timeout', 0, 'timeout: 0 would fail every load. Give at least 1 ms.'],
    ['softTimeout', '1 s', `softTimeout: "1 s" ${DURATION}`],
    ['negativeTtl', -0.1, `negativeTtl: -0.1 ${DURATION}`],
    ['maxStaleness', 'ever', `maxStaleness: "ever" ${DURATION}`],
    ['eagerRefresh', 1.1, 'eagerRefresh: 1.1 is not a share. Give a number from 0 to 1.'],
    ['eagerRefresh', '80%', 'eagerRefresh: "80%" is not a share. Give a number from 0 to 1.'],
    ['jitter', -0.1, 'jitter: -0.1 is not a share. Give a number from 0 to 1.'],
    ['jitter', Number.NaN, 'jitter: NaN is not a share. Give a number from 0 to 1.'],
    ['mode', 'Shadow', `mode: "Shadow" is none of 'on', 'shadow', 'off'.`],
    ['enabled', 'shadow', 'enabled: "shadow" is neither true nor false.'],
    ['atLeast', 'x', '"x" is not a position token. Pass on the `token` of a receipt unchanged.'],
    ['atLeast', {}, 'undefined is not a position token. Pass on the `token` of a receipt unchanged.'],
  ])('refuse %s: %j', (name, value, message) => {
    expect(() => read({ [name]: value })).toThrow(message);
  });
});
