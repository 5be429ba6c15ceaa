import { expect, it } from 'vitest';
import { redis } from './redis.ts';

it.each<[string, object, string]>([
  ['a misspelt option', { replica: 1 }, 'redis(): there is no option "replica". Known are url, client, replicas,'],
  ['another case', { Timeout: '1s' }, 'redis(): there is no option "Timeout". Write timeout.'],
  ['half a replica', { replicas: 0.5 }, 'replicas: 0.5 is not a whole number. Give 0 or more.'],
  ['a way to reclaim that is none', { reclaim: 'now' }, 'reclaim: "now" is neither'],
])('refuses %s before anything is made', (_what, options, message) => {
  const given = { url: 'redis://localhost:1', ...options };
  expect(() => redis(given)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) as string }) as Error,
  );
});
