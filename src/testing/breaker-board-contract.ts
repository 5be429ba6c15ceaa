import assert from 'node:assert/strict';
import type { BreakerBoard, BreakerNotice, ProbeAnswer } from '../cache/breaker.ts';
import { type ContractCase, type ContractOptions, type Runner, runContract } from './runner.ts';

/** A board on which nothing has been said, as the contract handles it. */
export interface BreakerBoardSubject {
  readonly board: BreakerBoard;
  /** Another node's way to the same board. */
  readonly other: BreakerBoard;
  /** Lets at least so many ms pass, for the board and for its server. */
  readonly elapse: (ms: number) => Promise<void>;
}

/** A time that passes in a case, and one that does not, in ms. */
const SHORT = 200;
const LONG = 60_000;
/** How much later than promised a server may notice that a time is over, in ms. */
const LATE = 100;

/**
 * What every {@link BreakerBoard} does while its server is up. That it answers, or keeps anything when its server is lost, is not
 * promised and not tested.
 *
 * @example
 * breakerBoardContract({ describe, it, beforeEach, afterEach }, { name: 'my board', open: () => ({ board, other, elapse }) });
 */
export function breakerBoardContract<S extends BreakerBoardSubject>(runner: Runner, options: ContractOptions<S>): void {
  runContract(runner, options, cases);
}

const cases: Readonly<Record<string, ContractCase<BreakerBoardSubject>>> = {
  'knows nothing at first': async ({ board }) => {
    assert.deepEqual(await board.read('b'), { number: 0, open: false, by: '', left: 0 });
  },

  'tells everybody that a breaker is open, who opened it and for how long': async ({ board, other }) => {
    const opened = await board.open('b', { number: 0, by: 'one', time: LONG });
    const { left, ...told } = await other.read('b');
    assert.deepEqual(told, { number: opened.number, open: true, by: 'one' });
    assert.ok(opened.number > 0 && left > LONG - 5_000 && left <= LONG, `${left} ms left of ${LONG}`);
  },

  'counts the first of two who open it at once': async ({ board, other }) => {
    const [first, second] = await Promise.all([
      board.open('b', { number: 0, by: 'one', time: LONG }),
      other.open('b', { number: 0, by: 'two', time: LONG }),
    ]);
    assert.equal(first.number, second.number);
    assert.equal(first.by, second.by);
  },

  'is not opened by who knows less than it does': async ({ board, other, elapse }) => {
    const closed = await closedAgain(board, elapse);
    const told = await other.open('b', { number: closed.number - 1, by: 'late', time: LONG });
    assert.deepEqual(told, { number: closed.number, open: false, by: '', left: 0 });
    assert.equal((await other.open('b', { number: closed.number, by: 'two', time: LONG })).open, true);
  },

  'is opened by who knows more than it does: it has lost something': async ({ board }) => {
    const lost = 2 ** 45;
    const { number, open } = await board.open('b', { number: lost, by: 'one', time: LONG });
    assert.ok(open && number > lost, `number ${number}`);
  },

  'is opened longer by who has closed it without saying so': async ({ board }) => {
    const { number } = await board.open('b', { number: 0, by: 'one', time: SHORT });
    const again = await board.open('b', { number, by: 'one', time: LONG });
    assert.ok(again.open && again.number > number && again.left > SHORT);
  },

  'counts who closed it without saying so only if nobody else has opened it since': async ({ board, other }) => {
    const { number } = await board.open('b', { number: 0, by: 'one', time: LONG });
    const [first, second] = await Promise.all([
      board.open('b', { number, by: 'one', time: LONG }),
      other.open('b', { number, by: 'two', time: LONG }),
    ]);
    assert.equal(first.number, second.number);
    assert.ok(first.number > number);
  },

  'grants no probe before its time': async ({ board }) => {
    const { number } = await board.open('b', { number: 0, by: 'one', time: LONG });
    const { left } = await refused(board.claim('b', { number, by: 'one', time: LONG }));
    assert.ok(left > 0 && left <= LONG, `${left} ms left`);
  },

  'grants no probe of what is not open': async ({ board, elapse }) => {
    assert.deepEqual(await refused(board.claim('b', { number: 0, by: 'one', time: LONG })), {
      ...{ number: 0, open: false, by: '', left: 0 },
    });
    const closed = await closedAgain(board, elapse);
    const told = await refused(board.claim('b', { number: closed.number, by: 'one', time: LONG }));
    assert.deepEqual(told, closed);
  },

  'grants one probe at a time, and says when to ask again': async ({ board, other, elapse }) => {
    const { number } = await due(board, elapse);
    const asked = Array.from({ length: 40 }, (_, i) =>
      (i % 2 ? board : other).claim('b', { number, by: 'x', time: LONG }),
    );
    const answers = await Promise.all(asked);
    assert.equal(answers.filter((it) => it.granted).length, 1);
    for (const it of answers) if (!it.granted) assert.ok(it.notice.left > 0 && it.notice.left <= LONG);
  },

  'grants no probe to who knows less than it does, and tells it': async ({ board, other, elapse }) => {
    const { number } = await due(board, elapse);
    await (await granted(board.claim('b', { number, by: 'one', time: LONG }))).failed(1);
    await elapse(1 + LATE);
    const notice = await refused(other.claim('b', { number, by: 'two', time: LONG }));
    assert.ok(notice.open && notice.number > number && notice.left === 0);
    await granted(other.claim('b', { number: notice.number, by: 'two', time: LONG }));
  },

  'is closed for all by a probe that succeeds': async ({ board, other, elapse }) => {
    const { number } = await due(board, elapse);
    const closed = await (await granted(board.claim('b', { number, by: 'one', time: LONG }))).succeeded();
    assert.ok(!closed.open && closed.number > number);
    assert.deepEqual(await other.read('b'), closed);
  },

  'stays open for all, and another while, when a probe fails': async ({ board, other, elapse }) => {
    const { number } = await due(board, elapse);
    await (await granted(board.claim('b', { number, by: 'two', time: LONG }))).failed(LONG);
    const { left, ...told } = await other.read('b');
    assert.ok(told.open && told.by === 'two' && told.number > number);
    assert.ok(left > LONG - 5_000 && left <= LONG, `${left} ms left`);
  },

  'gives the probe of one that died to the next': async ({ board, other, elapse }) => {
    const { number } = await due(board, elapse);
    await granted(board.claim('b', { number, by: 'dead', time: SHORT }));
    await refused(other.claim('b', { number, by: 'two', time: LONG }));
    await elapse(SHORT + LATE);
    await granted(other.claim('b', { number, by: 'two', time: LONG }));
  },

  'hears of no probe that has outlived its claim': async ({ board, other, elapse }) => {
    const { number } = await due(board, elapse);
    const late = await granted(board.claim('b', { number, by: 'one', time: SHORT }));
    await elapse(SHORT + LATE);
    assert.equal((await late.succeeded()).open, true);
    const next = await granted(other.claim('b', { number, by: 'two', time: LONG }));
    assert.equal((await late.succeeded()).open, true);
    assert.equal((await late.failed(LONG)).number, number);
    assert.equal((await next.succeeded()).open, false);
  },

  'hears of no probe of an earlier opening': async ({ board, other, elapse }) => {
    const { number } = await due(board, elapse);
    const old = await granted(board.claim('b', { number, by: 'one', time: LONG }));
    const newer = await other.open('b', { number, by: 'two', time: LONG });
    assert.ok(newer.number > number);
    assert.equal((await old.succeeded()).open, true);
    assert.equal((await old.failed(1)).by, 'two');
  },

  'hears of a probe once': async ({ board, elapse }) => {
    const { number } = await due(board, elapse);
    const probe = await granted(board.claim('b', { number, by: 'one', time: LONG }));
    const closed = await probe.succeeded();
    assert.deepEqual(await probe.failed(LONG), closed);
    assert.deepEqual(await probe.succeeded(), closed);
  },

  'has breakers of many names, whatever they look like': async ({ board }) => {
    const names = ['b', 'B', 'b:1', 'b*', 'b 1', '{b}', 'schlüssel', '鍵', 'x'.repeat(200)];
    for (const name of names) await board.open(name, { number: 0, by: name, time: LONG });
    for (const name of names) assert.equal((await board.read(name)).by, name);
    assert.equal((await board.read('another')).open, false);
  },

  'takes a time that is not a whole number': async ({ board, elapse }) => {
    const { number } = await board.open('b', { number: 0, by: 'one', time: 0.25 });
    await elapse(1 + LATE);
    const probe = await granted(board.claim('b', { number, by: 'one', time: LONG + 0.25 }));
    assert.equal((await probe.failed(LONG + 0.25)).open, true);
  },
};

/** Opened, and its time over. */
async function due(board: BreakerBoard, elapse: BreakerBoardSubject['elapse']): Promise<BreakerNotice> {
  const opened = await board.open('b', { number: 0, by: 'one', time: 1 });
  await elapse(1 + LATE);
  return opened;
}

async function closedAgain(board: BreakerBoard, elapse: BreakerBoardSubject['elapse']): Promise<BreakerNotice> {
  const { number } = await due(board, elapse);
  return (await granted(board.claim('b', { number, by: 'one', time: LONG }))).succeeded();
}

async function granted(asked: Promise<ProbeAnswer>): Promise<ProbeAnswer & { readonly granted: true }> {
  const answer = await asked;
  assert.ok(answer.granted, 'refused, though nobody probes');
  return answer;
}

async function refused(asked: Promise<ProbeAnswer>): Promise<BreakerNotice> {
  const answer = await asked;
  assert.ok(!answer.granted, 'granted, though it must not be');
  return answer.notice;
}
