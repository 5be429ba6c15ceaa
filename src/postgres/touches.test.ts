import { describe, expect, it } from 'vitest';
import { key, tag } from '../coherence/target.ts';
import { createTouches, type Touches } from './touches.ts';

interface Entities {
  user: { id: number; orgId: string };
  note: { id: number };
}

const touches: Touches<Entities> = createTouches<Entities>({
  user: ({ id, orgId }) => [key('user', id), tag(`org:${orgId}`)],
  note: ({ id }) => key('note', id),
});
const code = (code: string): object => expect.objectContaining({ code }) as object;

describe('touches', () => {
  it('knows what entities there are', () => {
    expect(touches.kinds).toEqual(['user', 'note']);
  });

  it('takes both states of what has changed: who moves touches both lists', () => {
    const [before, after] = [
      { id: 1, orgId: 'A' },
      { id: 1, orgId: 'B' },
    ];
    expect(touches.of('user', before, after)).toEqual([key('user', 1), tag('org:A'), key('user', 1), tag('org:B')]);
    expect(touches.of('user', undefined, after)).toEqual([key('user', 1), tag('org:B')]);
    expect(touches.of('user', before, undefined)).toEqual([key('user', 1), tag('org:A')]);
    expect(touches.of('note', { id: 2 }, undefined)).toEqual([key('note', 2)]);
    expect(touches.of('note', undefined, undefined)).toEqual([]);
  });

  it('refuses a kind that the map does not have, inherited names included', () => {
    expect(() => touches.of('toString' as never, undefined, {} as never)).toThrow(code('INVALID_OPTION'));
  });

  it('refuses what is no function, and what returns no target', () => {
    expect(() => createTouches({ user: 5 as never })).toThrow(code('INVALID_OPTION'));
    for (const nothing of ['user:1', undefined, ['user:1'], { kind: 'key' }]) {
      const wrong = createTouches<{ user: object }>({ user: () => nothing as never });
      expect(() => wrong.of('user', {}, undefined)).toThrow(code('INVALID_TARGET'));
    }
  });
});
