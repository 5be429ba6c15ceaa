import assert from 'node:assert/strict';
import type { Reports } from '../cache/reports.ts';
import { type ContractCase, type ContractOptions, type Runner, runContract } from './runner.ts';

/** Reports of a fleet that has not said anything, as the contract handles them. */
export interface ReportsSubject {
  readonly reports: Reports;
  /** Another node's way to the same reports. */
  readonly other: Reports;
  /** Lets at least so many ms pass, for the reports and for their server. */
  readonly elapse: (ms: number) => Promise<void>;
}

/** A time that passes in a case, and one that does not, in ms. */
const SHORT = 200;
const LONG = 60_000;
/** How much later than promised a server may notice that a time is over, in ms. */
const LATE = 100;

/**
 * What all {@link Reports} do while their server is up. That they are current, or survive their server, is not promised and not
 * tested.
 *
 * @example
 * reportsContract({ describe, it, beforeEach, afterEach }, { name: 'my reports', open: () => ({ reports, other, elapse }) });
 */
export function reportsContract<S extends ReportsSubject>(runner: Runner, options: ContractOptions<S>): void {
  runContract(runner, options, cases);
}

const cases: Readonly<Record<string, ContractCase<ReportsSubject>>> = {
  'know of nobody at first': async ({ reports }) => {
    assert.deepEqual(await reports.list(), []);
  },

  'tell everybody what a node has said, and how long ago': async ({ reports, other }) => {
    await reports.publish('a#1', 'fine', LONG);
    const [only, ...rest] = await other.list();
    assert.deepEqual([only?.node, only?.report, rest], ['a#1', 'fine', []]);
    assert.ok(only !== undefined && only.age >= 0 && only.age < 5_000, `${only?.age} ms old`);
  },

  'keep the last that a node has said': async ({ reports, other }) => {
    await reports.publish('a#1', 'fine', LONG);
    await reports.publish('a#2', 'well', LONG);
    await reports.publish('a#1', 'ill', LONG);
    assert.deepEqual(await said(other), { 'a#1': 'ill', 'a#2': 'well' });
  },

  'count the age from the last that a node has said': async ({ reports, other, elapse }) => {
    await reports.publish('a#1', 'fine', LONG);
    await elapse(SHORT);
    const [before] = await other.list();
    assert.ok(before !== undefined && before.age >= SHORT - 1, `${before?.age} ms old after ${SHORT} ms`);
    await reports.publish('a#1', 'fine', LONG);
    const [after] = await other.list();
    assert.ok(after !== undefined && after.age < before.age, `${after?.age} ms old when it was replaced`);
  },

  'forget what was not replaced in time': async ({ reports, other, elapse }) => {
    await reports.publish('a#1', 'fine', SHORT);
    await reports.publish('a#2', 'fine', LONG);
    await elapse(SHORT + LATE);
    assert.deepEqual(await said(other), { 'a#2': 'fine' });
  },

  'keep what is replaced in time': async ({ reports, other, elapse }) => {
    await reports.publish('a#1', 'fine', SHORT);
    await reports.publish('a#1', 'fine', LONG);
    await elapse(SHORT + LATE);
    assert.deepEqual(await said(other), { 'a#1': 'fine' });
  },

  'keep what lasts longer than what was published after it': async ({ reports, other, elapse }) => {
    await reports.publish('a#1', 'fine', LONG);
    await reports.publish('a#2', 'fine', SHORT);
    await elapse(SHORT + LATE);
    assert.deepEqual(await said(other), { 'a#1': 'fine' });
  },

  'forget who withdraws, and nobody else': async ({ reports, other }) => {
    await reports.publish('a#1', 'fine', LONG);
    await other.publish('a#2', 'fine', LONG);
    await reports.withdraw('a#1');
    await reports.withdraw('a#3');
    assert.deepEqual(await said(other), { 'a#2': 'fine' });
  },

  'hand on any text, and have nodes of any name': async ({ reports, other }) => {
    const texts = ['', ' ', '1 2 3', 'two\nlines', '\0', '{"v":1}', '%s %d %', 'schön 東京'];
    for (const text of texts) await reports.publish(text, text, LONG);
    assert.deepEqual(await said(other), Object.fromEntries(texts.map((text) => [text, text])));
  },

  'hand on a report of 64 KiB': async ({ reports, other }) => {
    await reports.publish('a#1', 'x'.repeat(65_536), LONG);
    const [only] = await other.list();
    assert.ok(only?.report === 'x'.repeat(65_536), `${only?.report.length} characters of 65536`);
  },

  'refuse a report of more than 64 KiB, and keep the one before': async ({ reports, other }) => {
    await reports.publish('a#1', 'fine', LONG);
    await assert.rejects(reports.publish('a#1', 'ö'.repeat(40_000), LONG), { code: 'INVALID_OPTION' });
    assert.deepEqual(await said(other), { 'a#1': 'fine' });
  },

  'take a time that is not a whole number': async ({ reports, other }) => {
    await reports.publish('a#1', 'fine', LONG + 0.25);
    assert.deepEqual(await said(other), { 'a#1': 'fine' });
  },
};

async function said(reports: Reports): Promise<Record<string, string>> {
  return Object.fromEntries((await reports.list()).map(({ node, report }) => [node, report]));
}
