import { expect, it } from 'vitest';
import { readSettings } from './settings.ts';

it('reads the environment, and has a default for everything', () => {
  expect(readSettings({})).toMatchObject({ edition: 'fastify', port: 3001, host: 'localhost', instances: 1 });
  const given = { EDITION: 'nest', PORT: '0', INSTANCES: '3', REDIS_URL: 'redis://a', DATABASE_URL: 'postgres://b' };
  expect(readSettings(given)).toMatchObject({
    edition: 'nest',
    port: 0,
    instances: 3,
    redisUrl: 'redis://a',
    databaseUrl: 'postgres://b',
  });
});

it.each([
  [{ EDITION: 'koa' }, 'EDITION must be one of fastify, nest, nest-fastify, not "koa".'],
  [{ PORT: '30o1' }, 'PORT must be a number from 0 to 65535, not "30o1". 0 takes any free port.'],
  [{ INSTANCES: '0', REDIS_URL: 'redis://a' }, 'INSTANCES must be a number from 1 to 16, not "0".'],
  [{ INSTANCES: '3' }, 'INSTANCES needs REDIS_URL'],
])('refuses %o', (environment, message) => {
  expect(() => readSettings(environment)).toThrow(message);
});
