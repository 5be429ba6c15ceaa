import { describe, expect, it } from 'vitest';
import { key, tag } from '../coherence/target.ts';
import { Collected } from './changes.ts';

const code = (code: string): object => expect.objectContaining({ code }) as object;

describe('what a transaction makes stale', () => {
  it('is collected one by one or as a list, each target once', () => {
    const changes = new Collected();
    const user = key('user', 1);
    const [a, b] = [tag('a'), tag('b')];
    changes.invalidate(user, a);
    changes.invalidate([user, b]);
    changes.invalidate();
    changes.invalidate([]);
    expect(changes.close()).toEqual([user, a, b]);
  });

  it('is all of it or nothing, where something is no target', () => {
    const changes = new Collected();
    expect(() => changes.invalidate(tag('a'), 'b')).toThrow(code('INVALID_TARGET'));
    expect(() => changes.invalidate([['nested']])).toThrow(code('INVALID_TARGET'));
    expect(changes.close()).toEqual([]);
  });

  it('is not collected once it is closed; what no target is, is told first', () => {
    const changes = new Collected();
    changes.close();
    expect(() => changes.invalidate(tag('a'))).toThrow(code('CLOSED'));
    expect(() => changes.invalidate('a')).toThrow(code('INVALID_TARGET'));
  });
});

describe('what a savepoint makes stale', () => {
  it('counts if its work resolves, with what came meanwhile', async () => {
    const changes = new Collected();
    const value = await changes.nested(async (inner) => {
      inner.invalidate(tag('inner'));
      changes.invalidate(tag('meanwhile'));
      return inner.nested((innermost) => {
        innermost.invalidate(tag('innermost'));
        return 5;
      });
    });
    expect(value).toBe(5);
    expect(changes.close()).toEqual([tag('meanwhile'), tag('inner'), tag('innermost')]);
  });

  it('does not if it rejects, and nothing is collected there later', async () => {
    const changes = new Collected();
    const kept: Collected[] = [];
    const rejected = changes.nested(async (inner) => {
      kept.push(inner as Collected);
      inner.invalidate(tag('inner'));
      throw new Error('no');
    });
    await expect(rejected).rejects.toThrow('no');
    expect(() => kept[0]?.invalidate(tag('late'))).toThrow(code('CLOSED'));
    expect(changes.close()).toEqual([]);
  });

  it('is refused where the transaction has ended before it', async () => {
    const changes = new Collected();
    const late = changes.nested(async (inner) => {
      inner.invalidate(tag('inner'));
      changes.close();
    });
    await expect(late).rejects.toEqual(code('CLOSED'));
  });

  it('is dropped between two marks, and what came before or after them is not', () => {
    const changes = new Collected();
    changes.invalidate(tag('before'));
    const from = changes.mark();
    changes.invalidate(tag('within'), tag('within too'));
    const to = changes.mark();
    changes.invalidate(tag('after'));
    changes.forget(from, to);
    expect(changes.close()).toEqual([tag('before'), tag('after')]);
  });
});
