import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BreakerBoard, ProbeAnswer } from '../cache/breaker.ts';
import { memoryBreakerBoard } from '../cache/memory-breaker-board.ts';
import { type BreakerBoardSubject, breakerBoardContract } from './breaker-board-contract.ts';
import { CaseList } from './case-list.ts';
import { FakeClock } from './fake-clock.ts';

/** A board in memory on a clock of its own, some of its methods replaced. */
function open(alter: (board: BreakerBoard) => Partial<BreakerBoard> = () => ({})): BreakerBoardSubject {
  const clock = new FakeClock();
  const made = memoryBreakerBoard()({ clock });
  const altered = alter(made);
  const board: BreakerBoard = {
    read: altered.read ?? ((name) => made.read(name)),
    open: altered.open ?? ((name, change) => made.open(name, change)),
    claim: altered.claim ?? ((name, change) => made.claim(name, change)),
  };
  return { board, other: board, elapse: (ms) => clock.advance(ms) };
}

breakerBoardContract(
  { describe, it, beforeEach, afterEach },
  { name: 'memoryBreakerBoard keeps the contract', open: () => open() },
);

describe('the contract of boards finds', () => {
  async function failuresOf(alter: (board: BreakerBoard) => Partial<BreakerBoard>): Promise<string[]> {
    const list = new CaseList();
    breakerBoardContract(list, { name: 'broken', open: () => open(alter) });
    return [...(await list.failures()).keys()];
  }

  it('one that opens whatever it is told', async () => {
    const found = await failuresOf((board) => ({
      open: async (name, change) => board.open(name, { ...change, number: (await board.read(name)).number }),
    }));
    expect(found).toEqual([
      'is not opened by who knows less than it does',
      'is opened by who knows more than it does: it has lost something',
    ]);
  });

  it('one that lets several probe', async () => {
    const found = await failuresOf((board) => ({
      claim: async (name, change): Promise<ProbeAnswer> => {
        const answer = await board.claim(name, change);
        const verdict = (): ReturnType<BreakerBoard['read']> => board.read(name);
        return answer.granted || !answer.notice.open || answer.notice.left < 1_000
          ? answer
          : { granted: true, succeeded: verdict, failed: verdict };
      },
    }));
    expect(found).toContain('grants one probe at a time, and says when to ask again');
  });

  it('one that knows no time of a claim', async () => {
    const found = await failuresOf((board) => ({
      claim: (name, change) => board.claim(name, { ...change, time: 86_400_000 }),
    }));
    expect(found).toEqual(
      expect.arrayContaining([
        'gives the probe of one that died to the next',
        'hears of no probe that has outlived its claim',
      ]),
    );
  });

  it('one that confuses names', async () => {
    expect(await failuresOf((board) => ({ read: (name) => board.read(name.slice(0, 1)) }))).toEqual([
      'has breakers of many names, whatever they look like',
    ]);
  });
});
