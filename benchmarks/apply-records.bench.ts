import { type Cache, createCache, type Draft, type InvalidationLog, memoryLog } from 'tidemark';
import { clocked, collectGarbage, paced } from './pace.ts';
import type { Question, Row } from './question.ts';
import { uniform } from './workload.ts';

/** Most records of one sample: a memory log keeps at least so many for those who read. */
const MOST = 10_000;

export const question: Question = {
  title: 'Applying records',
  asks: 'How long does a node take to apply one record? "Read" is a node that follows by reading batches, as it would from a server: somebody else appends a batch, and the clock runs from then until its last record is applied. "Handed over" is a node in the process of the log, which applies each record within the append; there the append is included.',
  unit: 'ns per record',
  rows: [read('read, 1 label each', 1), read('read, 3 labels each', 3), handedOver('handed over, 3 labels each', 3)],
  against: ['read, 3 labels each'],
};

function read(name: string, labels: number): Row {
  return {
    name,
    async prepare(effort) {
      const { cache, log } = await follow(({ append, read, snapshot, close }) => ({ append, read, snapshot, close }));
      const timed = async (count: number): Promise<number> => {
        const drafts = makeDrafts(count, labels);
        collectGarbage();
        const last = lastOf(count, cache);
        await log.append(drafts);
        const since = performance.now();
        await last;
        return performance.now() - since;
      };
      return paced(timed, effort, MOST);
    },
  };
}

function handedOver(name: string, labels: number): Row {
  return {
    name,
    async prepare(effort) {
      const { log } = await follow((it) => it);
      const timed = (count: number): Promise<number> => {
        const drafts = makeDrafts(count, labels);
        return clocked(async () => (await log.append(drafts)).numbers.length);
      };
      return paced(timed, effort, MOST);
    },
  };
}

/** A cache that follows a memory log, or as much of one as `offered` leaves of it. */
async function follow(
  offered: (log: InvalidationLog) => InvalidationLog,
): Promise<{ cache: Cache; log: InvalidationLog }> {
  const part = memoryLog();
  let made: InvalidationLog | undefined;
  const cache = createCache({
    name: 'bench',
    log(context) {
      made = typeof part === 'function' ? part(context) : part;
      return offered(bound(made));
    },
  });
  await cache.ready();
  return { cache, log: made as InvalidationLog };
}

/** The methods of a log that can be taken from it. */
function bound(log: InvalidationLog): InvalidationLog {
  return {
    append: (drafts) => log.append(drafts),
    read: (after, options) => log.read(after, options),
    snapshot: () => log.snapshot(),
    close: () => log.close(),
    ...(log.attach === undefined
      ? {}
      : { attach: (onRecord) => (log.attach as NonNullable<typeof log.attach>)(onRecord) }),
  };
}

/** Resolves when so many more records are applied. */
function lastOf(count: number, cache: Cache): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const stop = cache.on((event) => {
      if (event.type !== 'applied' || --left > 0) return;
      stop();
      resolve();
    });
  });
}

function makeDrafts(count: number, labels: number): Draft[] {
  const halves = uniform(count * labels * 2, 2 ** 32);
  return Array.from({ length: count }, (_, i) => ({
    kind: 'invalidate',
    id: i.toString(16).padStart(32, 'f'),
    origin: 'other#1',
    labels: Array.from({ length: labels }, (__, j) => {
      const at = (i * labels + j) * 2;
      return { high: (halves[at] as number) | 0, low: (halves[at + 1] as number) | 0 };
    }),
    patterns: [],
    time: 0,
  }));
}
