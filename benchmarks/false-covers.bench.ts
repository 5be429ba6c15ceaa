import { createCache, key } from 'tidemark';
import type { Question, Row } from './question.ts';

const SLOTS = 2 ** 18;
const HASHES = 3;

export const question: Question = {
  title: 'False covers',
  asks: 'How many entries look covered although nobody invalidated them, once so many other labels were? 200,000 entries of one label each are cached, the labels are invalidated, and every entry is looked up. "Expected" is the formula of the design, (1 - e^(-kn/m))^k with k = 3 hashes, m = 2^18 slots and n labels.',
  unit: '% of entries',
  rows: [1_000, 10_000, 25_000, 50_000, 100_000].map(covered),
  against: [],
  alone: true,
  repeat: { starts: 1, rounds: 1 },
  targets: [
    {
      promise: 'as many false covers as the formula says (within a tenth, or 0.02 %)',
      judge(figures) {
        const off = question.rows.filter(({ name, expected = 0 }) => {
          const difference = Math.abs(figures.of(name) - expected);
          return !(difference <= expected / 10 || difference <= 0.02);
        });
        return {
          figure: off.length === 0 ? 'at every size' : `not with ${off.map(({ name }) => name).join(', ')}`,
          kept: off.length === 0,
        };
      },
    },
  ],
};

function covered(labels: number): Row {
  return {
    name: `${labels.toLocaleString('en')} labels`,
    expected: 100 * (1 - Math.exp((-HASHES * labels) / SLOTS)) ** HASHES,
    prepare: () => async () => {
      const entries = 200_000;
      const cache = createCache({ name: 'bench', memory: { maxEntries: entries, maxBytes: '4gb' } });
      for (let i = 0; i < entries; i++) await cache.getOrSet(`kept-${i}`, () => i);
      for (let i = 0; i < labels; i += 500)
        await cache.invalidate(Array.from({ length: Math.min(500, labels - i) }, (_, j) => key(`gone-${i + j}`)));
      let missing = 0;
      for (let i = 0; i < entries; i++) if (!(await cache.has(`kept-${i}`))) missing++;
      return (100 * missing) / entries;
    },
  };
}
