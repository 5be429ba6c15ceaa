import type { Question } from './question.ts';
import { synchronousHits } from './reads.ts';

export const question: Question = {
  title: 'A hit in memory, synchronous',
  asks: 'The same reads where a library can answer without a promise: `peek` of a Tidemark query (which makes its key of its arguments), `getInMemoryOnly` of layered-loader, `get` of lru-cache. The other libraries have no such call.',
  unit: 'ns per read',
  scale: 'linear',
  rows: [
    synchronousHits('lru-cache'),
    synchronousHits('lru-cache, key made at the read'),
    synchronousHits('Tidemark query'),
    synchronousHits('layered-loader'),
  ],
  against: ['Tidemark query', 'lru-cache'],
};
