import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../cache/system-clock.ts';
import { waitUntil } from '../testing/wait-until.ts';
import { commandsTo, type ObservedCommands } from '../../test/servers/redis-connection.ts';
import { emptiedRedis } from '../../test/servers/emptied-redis.ts';
import { redisKeys } from './keys.ts';
import { RedisPlaces } from './places.ts';

const redis = emptiedRedis();
let nodes: { readonly commands: ObservedCommands; readonly places: RedisPlaces }[];
const keys = redisKeys('shop');

beforeEach(async () => {
  nodes = [1, 2, 3].map(() => {
    const commands = commandsTo(redis.server.url);
    return {
      commands,
      places: new RedisPlaces({ keys, commands, random: systemRandom(), release: () => commands.close() }),
    };
  });
});

afterEach(async () => {
  await Promise.all(nodes.map(({ places }) => places.close()));
});

/** Every node asks so many times at once. */
async function ask(times: number, limit: number, time: number) {
  const asked = nodes.flatMap(({ places }) => Array.from({ length: times }, () => places.take(limit, time)));
  return Promise.all(asked);
}

describe('places on Redis', () => {
  it('are given to as many as there are, whoever asks', async () => {
    const answers = await ask(20, 7, 60_000);
    const given = answers.filter((answer) => answer.granted);
    expect(given).toHaveLength(7);
    expect(answers.every((answer) => answer.granted || (answer.wait > 0 && answer.wait < 50))).toBe(true);
    await given[0]?.release();
    await given[0]?.release();
    expect((await ask(20, 7, 60_000)).filter((answer) => answer.granted)).toHaveLength(1);
  });

  it('come free by themselves when their time is over, as those of a process that died', async () => {
    expect((await ask(1, 3, 100)).filter((answer) => answer.granted)).toHaveLength(3);
    let given = 0;
    await waitUntil(async () => {
      given += (await ask(1, 3, 60_000)).filter((answer) => answer.granted).length;
      return given >= 3;
    });
    expect(given).toBe(3);
  });

  it('leave nothing behind', async () => {
    for (const answer of await ask(1, 3, 60_000)) if (answer.granted) await answer.release();
    expect(await redis.admin.keys('*')).toEqual([]);
    await ask(1, 3, 100);
    await waitUntil(async () => (await redis.admin.exists(keys.places)) === 0);
  });
});
