import { Redis } from 'ioredis';
import { setTimeout } from 'node:timers/promises';
import type { Question, Row } from './question.ts';
import { BOTH_TIERS, type RedisContenderName, redisContenders } from './redis/contenders.ts';
import { startServer } from './redis/server.ts';
import { keyOf, makeValues, type Value } from './workload.ts';

const MISSES = 200;

const names = [
  'ioredis',
  'Tidemark without lease',
  'Tidemark',
  'bentocache',
  'layered-loader',
  'cacheable',
  'cache-manager',
] as const;

export const question: Question = {
  title: 'Commands of a miss',
  asks: 'How many commands does the server execute for a miss in both tiers and its fill, one after the other? Told by MONITOR: those inside of scripts are counted with their script; what a library sends by itself meanwhile is counted too.',
  unit: 'commands per miss',
  repeat: { starts: 1, rounds: 3 },
  rows: names.map(commands),
  against: [],
  targets: [
    {
      promise: 'a miss and its fill takes 2 commands without lease',
      judge: ({ of }) => {
        const figure = of('Tidemark without lease');
        return { figure: figure.toFixed(2), kept: figure < 2.1 };
      },
    },
  ],
};

function commands(name: RedisContenderName): Row {
  return {
    name,
    async prepare() {
      const [value] = makeValues(1) as [Value];
      const server = await startServer();
      const load = (): Promise<Value> => Promise.resolve(value);
      const contender = await redisContenders[name]({ server, memory: BOTH_TIERS, load });
      const monitor = await new Redis(server.url).monitor();
      let sent = 0;
      let seen = 0;
      monitor.on('monitor', (_time, _args, source: string) => {
        if (source !== 'lua') sent++;
      });
      return async () => {
        sent = 0;
        for (let i = 0; i < MISSES; i++) await contender.read(keyOf(seen++));
        await setTimeout(50); // A fill is not waited for.
        return sent / MISSES;
      };
    },
  };
}
