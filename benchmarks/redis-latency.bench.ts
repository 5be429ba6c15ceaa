import { Redis } from 'ioredis';
import { setTimeout } from 'node:timers/promises';
import { createCache, key } from 'tidemark';
import { redis } from 'tidemark/redis';
import type { Question, Row } from './question.ts';
import { Far } from './redis/far.ts';
import { startServer } from './redis/server.ts';
import { quantile } from './statistics.ts';

const MESSAGES = 400;

/** How many are sent before, one behind the other: a service that has been up for some minutes has compiled all this. */
const WARM_UP = 20_000;

export const question: Question = {
  title: 'From one process to another',
  asks: 'How long is a record on its way: from the call of invalidate to its being applied in another process? Beside it a message of the bare client, from PUBLISH to its subscriber. One at a time; by the clock that processes of one machine share.',
  unit: 'µs',
  repeat: { starts: 2, rounds: 4 },
  rows: [
    latency('PUBLISH to message', 'publish', 0.5),
    latency('invalidate to applied', 'tidemark', 0.5),
    latency('PUBLISH to message, p99', 'publish', 0.99),
    latency('invalidate to applied, p99', 'tidemark', 0.99),
  ],
  against: ['PUBLISH to message'],
  targets: [
    {
      promise: "a record is applied elsewhere in at most 2x the time of the bare client's message",
      judge: ({ ratio }) => {
        const times = ratio('invalidate to applied', 'PUBLISH to message');
        return { figure: `${times.toFixed(2)}x`, kept: times <= 2 };
      },
    },
    {
      promise: '... p99 under 5 ms',
      judge: ({ of }) => {
        const us = of('invalidate to applied, p99');
        return { figure: `${(us / 1_000).toFixed(2)} ms`, kept: us < 5_000 };
      },
    },
  ],
};

function latency(name: string, how: 'publish' | 'tidemark', share: number): Row {
  return {
    name,
    async prepare() {
      const { url } = await startServer();
      const far = await Far.start(how, url);
      const send = await sender(how, url);
      let sent = 0;
      const one = async (): Promise<number> => {
        const id = String(++sent);
        const arrival = far.arrival(id);
        const since = process.hrtime.bigint();
        void send(id);
        return Number((await arrival) - since) / 1_000;
      };
      const sample = async (): Promise<number> => {
        const times: number[] = [];
        for (let i = 0; i < MESSAGES; i++) {
          times.push(await one());
          await setTimeout(1);
        }
        return quantile(times, share);
      };
      for (let i = 0; i < WARM_UP; i++) await one();
      await sample();
      return sample;
    },
  };
}

async function sender(how: 'publish' | 'tidemark', url: string): Promise<(id: string) => Promise<unknown>> {
  if (how === 'publish') {
    const client = new Redis(url);
    await client.ping();
    return (id) => client.publish('bench', id);
  }
  const cache = createCache({ name: 'bench', ...redis({ url }) });
  await cache.ready();
  return (id) => cache.invalidate(key('m', id));
}
