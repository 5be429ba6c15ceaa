import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { slotOf } from './cluster-slot.ts';
import { redisKeys } from './keys.ts';

interface Vector {
  readonly name: string;
  readonly error?: string;
  readonly key: string;
  readonly label: string;
  readonly value: string;
  readonly lease: string;
  readonly index: string;
  /** Of a breaker named `mail`. */
  readonly breaker: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/key-names.json', import.meta.url), 'utf8'),
) as Vector[];
const named = vectors.filter(({ error }) => error === undefined);

describe('names of keys', () => {
  it.each(named)(
    'are those of the protocol, for $name',
    ({ name, key, label, value, lease, index, breaker, ...fixed }) => {
      const keys = redisKeys(name);
      expect(keys).toMatchObject(fixed);
      expect([keys.value(key), keys.lease(key), keys.index(label)]).toEqual([value, lease, index]);
      expect(keys.breaker('mail')).toBe(breaker);
    },
  );

  it.each(named)('share a slot of a Cluster where scripts need it, for $name', ({ name }) => {
    const keys = redisKeys(name);
    const { log, stream, table, bans, nodes, places, reports } = keys;
    expect(new Set([log, stream, table, bans, nodes, places, reports, keys.breaker('mail')].map(slotOf)).size).toBe(1);
  });

  it('spread values over the slots, whatever the keys look like', () => {
    const keys = redisKeys('shop');
    const names = Array.from({ length: 200 }, (_, i) => [keys.value(`user:${i}`), keys.lease(`user:${i}`)]).flat();
    expect(new Set(names.map(slotOf)).size).toBeGreaterThan(300);
  });

  it.each(vectors.filter(({ error }) => error !== undefined))('refuse a brace: $name', ({ name, error }) => {
    expect(() => redisKeys(name)).toThrow(expect.objectContaining({ code: error }));
  });
});
