import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../cache/system-clock.ts';
import { type BreakerBoardSubject, breakerBoardContract } from '../testing/breaker-board-contract.ts';
import { commandsTo, type ObservedCommands } from '../../test/servers/redis-connection.ts';
import { emptiedRedis } from '../../test/servers/emptied-redis.ts';
import { RedisBreakerBoard } from './breaker-board.ts';
import { redisKeys } from './keys.ts';

const redis = emptiedRedis();

interface Subject extends BreakerBoardSubject {
  readonly commands: ObservedCommands;
  readonly ends: () => void;
}

let count = 0;

function open(): Subject {
  const keys = redisKeys(`board${++count}`);
  const [commands, others] = [commandsTo(redis.server.url), commandsTo(redis.server.url)] as const;
  const make = (its: ObservedCommands): RedisBreakerBoard =>
    new RedisBreakerBoard({ keys, commands: its, random: systemRandom(), release: () => its.close() });
  const [board, other] = [make(commands), make(others)];
  return { board, other, commands, elapse: redis.elapse, ends: () => void Promise.all([board.close(), other.close()]) };
}

breakerBoardContract(
  { describe, it, beforeEach, afterEach },
  { name: 'a board on Redis', open, close: ({ ends }) => ends() },
);

describe('a board on Redis', () => {
  let subject: Subject;

  beforeEach(() => {
    subject = open();
  });

  afterEach(() => subject.ends());

  it('asks with one command, and a reading writes nothing', async () => {
    await subject.board.read('b');
    subject.commands.sent.length = 0;
    await subject.board.read('b');
    expect(subject.commands.sent.map(([command]) => command)).toEqual(['EVALSHA']);
    expect(await redis.admin.keys(`{board${count}}:*`)).toEqual([]);
  });

  it('forgets a breaker a day after its last change', async () => {
    await subject.board.open('b', { number: 0, by: 'one', time: 60_000 });
    const left = await redis.admin.pttl(`{board${count}}:breaker:b`);
    expect(left).toBeGreaterThan(86_400_000);
    expect(left).toBeLessThanOrEqual(86_460_000);
  });

  it('issues numbers above those that were lost with the server', async () => {
    const { number } = await subject.board.open('b', { number: 0, by: 'one', time: 1 });
    await redis.admin.flushall();
    const again = await subject.other.open('b', { number: 0, by: 'two', time: 1 });
    expect(again.number).toBeGreaterThanOrEqual(number);
    expect(await subject.board.open('b', { number, by: 'one', time: 1 })).toMatchObject({ open: true });
  });
});
