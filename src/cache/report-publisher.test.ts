import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { memoryReports } from './memory-reports.ts';
import { ReportPublisher, type ReportPublisherParts } from './report-publisher.ts';
import type { Reports } from './reports.ts';

let clock: FakeClock;
let reports: Reports;
let made: ReportPublisher;
const warned: string[] = [];

beforeEach(() => {
  clock = new FakeClock();
  reports = memoryReports()({ clock });
  warned.length = 0;
});

afterEach(async () => {
  const closed = made.close();
  await clock.advance(10_000);
  await closed;
});

function begin(over: Partial<ReportPublisherParts> = {}): void {
  const logger = {
    ...{ debug: () => {}, info: () => {}, error: () => {} },
    warn: (_fields: object, message: string) => warned.push(message),
  };
  let count = 0;
  made = new ReportPublisher({
    ...{ reports, node: 'a#1', every: 5_000, clock, random: () => 0, logger, write: () => `report ${++count}` },
    ...over,
  });
  made.start();
}

const said = async (): Promise<string[]> => (await reports.list()).map(({ report }) => report);

it('publishes at once, and again and again', async () => {
  begin();
  await clock.advance(0);
  expect(await said()).toEqual(['report 1']);
  await clock.advance(4_999);
  expect(await said()).toEqual(['report 1']);
  await clock.advance(1);
  expect(await said()).toEqual(['report 2']);
  await clock.advance(50_000);
  expect(await said()).toEqual(['report 12']);
});

it('is forgotten after three times as long, when it is replaced no more', async () => {
  const published: number[] = [];
  const publish = async (node: string, report: string, ttl: number) => {
    published.push(ttl);
    await reports.publish(node, report, ttl);
  };
  begin({ reports: { publish, list: () => reports.list(), withdraw: (node) => reports.withdraw(node) } });
  await clock.advance(0);
  expect(published).toEqual([15_000]);
});

it('does not publish in step with others', async () => {
  begin({ random: () => 1 });
  await clock.advance(4_500);
  expect(await said()).toEqual(['report 2']);
});

it('withdraws the report at its end, after what is under way', async () => {
  const steps: string[] = [];
  const slow: Reports = {
    publish: async () => {
      await new Promise<void>((resolve) => clock.schedule(1_000, resolve));
      steps.push('published');
    },
    list: () => reports.list(),
    withdraw: async () => void steps.push('withdrawn'),
  };
  begin({ reports: slow });
  const closed = made.close();
  await clock.advance(1_000);
  await closed;
  expect(steps).toEqual(['published', 'withdrawn']);
  // Nothing goes on after the end.
  expect(clock.timers).toBe(0);
});

it('goes on while nothing can be published, and says so once', async () => {
  let fails: 'rejects' | 'hangs' | 'throws' | undefined = 'rejects';
  const publish = async (node: string, report: string, ttl: number): Promise<void> => {
    if (fails === 'rejects') throw new Error('no connection');
    if (fails === 'hangs') return new Promise<never>(() => {});
    return reports.publish(node, report, ttl);
  };
  const write = (): string => {
    if (fails === 'throws') throw new Error('closed');
    return 'fine';
  };
  begin({ reports: { publish, list: () => reports.list(), withdraw: (node) => reports.withdraw(node) }, write });
  await clock.advance(20_000);
  fails = 'hangs';
  await clock.advance(20_000);
  expect(warned).toEqual(['cache_report: the report of this node is not published: no connection']);
  fails = undefined;
  await clock.advance(8_000);
  expect(await said()).toEqual(['fine']);
  fails = 'throws';
  await clock.advance(20_000);
  expect(warned[1]).toContain('closed');
  expect(await said()).toEqual([]);
});
