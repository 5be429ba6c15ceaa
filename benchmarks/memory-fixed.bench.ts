import { createCache, memoryLog } from 'tidemark';
import { settled } from './pace.ts';
import type { Question, Row } from './question.ts';

const NODE = 'a node: a cache on a log that is there';

export const question: Question = {
  title: 'Fixed memory',
  asks: 'What does a cache take before it has any entry? Counted are the array buffers after a collection: the tide table is one of 2^18 slots of 8 bytes. A memory log holds a table of its own, as a server would.',
  unit: 'MiB',
  rows: [
    made(NODE, async () => {
      const log = memoryLog();
      const first = createCache({ name: 'first', log, memory: false });
      const before = await settled(buffers);
      const cache = createCache({ name: 'second', log, memory: false });
      return [(await settled(buffers)) - before, first, cache];
    }),
    made('a node and its memory log', async () => {
      const before = await settled(buffers);
      const cache = createCache({ name: 'bench', memory: false });
      return [(await settled(buffers)) - before, cache];
    }),
  ],
  against: [],
  alone: true,
  repeat: { starts: 1, rounds: 1 },
  targets: [
    {
      promise: 'the fixed table is 2 MiB',
      judge(figures) {
        const mebibytes = figures.of(NODE);
        return { figure: `${mebibytes.toFixed(2)} MiB in each node`, kept: Math.abs(mebibytes - 2) < 0.05 };
      },
    },
  ],
};

/** What is returned beside the figure is alive until it was taken. */
function made(name: string, make: () => Promise<[number, ...unknown[]]>): Row {
  return { name, prepare: () => async () => (await make())[0] / 2 ** 20 };
}

function buffers(): number {
  return process.memoryUsage().arrayBuffers;
}
