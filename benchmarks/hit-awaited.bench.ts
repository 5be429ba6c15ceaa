import type { Question } from './question.ts';
import { awaitedHits } from './reads.ts';

/** Whichever of these is the fastest is the one to beat. */
const others = ['layered-loader', 'bentocache', 'cacheable', 'cache-manager', 'async-cache-dedupe'] as const;

export const question: Question = {
  title: 'A hit in memory, awaited',
  asks: "What does a read of a warm key cost through each library's own read-through call, with its `await`? 10,000 warm keys, each as likely as any other, one read after the other; a loader is given at every read and never called.",
  unit: 'ns per read',
  scale: 'log',
  rows: [
    awaitedHits('lru-cache'),
    awaitedHits('lru-cache, key made at the read'),
    awaitedHits('lru-cache fetch'),
    awaitedHits('Tidemark getOrSet'),
    awaitedHits('Tidemark query'),
    ...others.map((name) => awaitedHits(name)),
  ],
  against: ['Tidemark getOrSet', 'lru-cache'],
  targets: [
    {
      promise: 'an awaited getOrSet is at least as fast as the fastest other library',
      judge(figures) {
        const fastest = others.reduce((best, name) => (figures.of(name) < figures.of(best) ? name : best));
        const ratio = figures.ratio(fastest, 'Tidemark getOrSet');
        return { figure: `${ratio.toFixed(2)}x the speed of ${fastest}`, kept: ratio >= 1 };
      },
    },
    {
      promise: 'an awaited getOrSet has at least 0.5x the speed of an awaited bare lru-cache get',
      judge(figures) {
        const ratio = figures.ratio('lru-cache', 'Tidemark getOrSet');
        return { figure: `${ratio.toFixed(2)}x`, kept: ratio >= 0.5 };
      },
    },
  ],
};
