import { expect, it } from 'vitest';
import { Bank } from './bank.ts';
import { pgbenchProgram } from './tpcb.ts';

// Long runs: npm run pgbench.
it.each([
  ['pgbench, or what stands in for it', pgbenchProgram()],
  ['the same statements over pg', undefined],
])(
  'nodes that read what is written without the library are never far behind: %s',
  async (_, program) => {
    const bank = await Bank.open(program);
    try {
      const { written, hits, staleness, settled, cached, capture } = await bank.run(3);
      expect(written.transactions).toBeGreaterThan(10);
      expect(hits).toBeGreaterThan(10);
      // By far: what is promised is the relay's lag and a message. The machine of the tests is loaded.
      expect(staleness.at(-1)).toBeLessThan(2_000);
      expect(settled).toBeLessThan(2_000);
      expect(cached).toBeGreaterThan(0);
      expect(capture).toMatchObject({ state: 'streaming', unknowable: 0 });
    } finally {
      await bank.close();
    }
  },
  90_000,
);
