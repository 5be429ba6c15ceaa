import { describe, expect, it } from 'vitest';
import { aloneInTheFleet } from './presence.ts';

describe('aloneInTheFleet', () => {
  it('lists nobody, whoever registers: there is nobody else to wait for', async () => {
    const node = { node: 'shop#1', applied: { epoch: '0'.repeat(16), number: 1 }, servesFor: 2_000 };
    await aloneInTheFleet.register(node);
    await expect(aloneInTheFleet.list()).resolves.toMatchObject({ nodes: [] });
    await aloneInTheFleet.remove(node.node);
    await expect(aloneInTheFleet.list()).resolves.toMatchObject({ nodes: [] });
  });
});
