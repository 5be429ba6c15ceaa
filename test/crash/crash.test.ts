import { expect, it } from 'vitest';
import { crash } from './crash.ts';
import { takeover } from './takeover.ts';

it.each(['outbox', 'wal', 'capture'])(
  'what a writer has committed gets to every reader, wherever it was killed: %s',
  async (carrier) => {
    const { violations, between, delays } = await crash({ times: 3, carrier });
    expect(violations).toEqual([]);
    expect(between).toBeGreaterThanOrEqual(3);
    expect(delays[0]).toBeGreaterThan(0);
  },
  120_000,
);

// How long it takes: npm run crash -- --takeover.
it.each(['outbox', 'capture'])(
  'another relay takes over from one that is killed, and from one that hangs: %s',
  async (carrier) => {
    for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
      const [took] = await takeover({ rounds: 1, signal, carrier });
      expect(took).toBeGreaterThan(0);
    }
  },
  120_000,
);
