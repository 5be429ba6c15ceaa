import { describe, expect, it } from 'vitest';
import { logOptions } from '../coherence/log-options.ts';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { memoryLog } from '../index.ts';
import { FakeClock, promisesSettled } from './fake-clock.ts';
import { FaultyLog } from './faulty-log.ts';

function setUp(): FaultyLog {
  const clock = new FakeClock();
  const context = {
    name: 'test',
    clock,
    stopwatch: new Stopwatch(clock),
    random: () => 0.5,
    logger: undefined,
    logOptions: logOptions(),
  };
  const log = memoryLog();
  return new FaultyLog(typeof log === 'function' ? log(context) : log);
}

describe('FaultyLog', () => {
  it('passes requests on while nothing is broken', async () => {
    const log = setUp();
    const { epoch, head } = await log.snapshot();
    expect(await log.append([])).toEqual({ epoch, numbers: [] });
    expect(await log.read({ epoch, number: head }, { wait: 0, limit: 1 })).toMatchObject({ epoch, head });
    expect(await log.check([])).toMatchObject({ epoch, head });
    expect(log.asked).toEqual({ append: 1, follow: 2, check: 1 });
  });

  it('fails what is under way and what comes on a way that is cut, and nothing else', async () => {
    const log = setUp();
    const { epoch } = await log.snapshot();
    const waiting = log.read({ epoch, number: 0 }, { wait: 1_000, limit: 1 });
    log.cut('follow');
    await expect(waiting).rejects.toThrow('the connection is cut (follow)');
    await expect(log.snapshot()).rejects.toThrow('the connection is cut (follow)');
    await expect(log.append([])).resolves.toEqual({ epoch, numbers: [] });
    log.mend('follow');
    await expect(log.snapshot()).resolves.toMatchObject({ epoch });
  });

  it('leaves requests unanswered on a way that is stalled', async () => {
    const log = setUp();
    log.stall('append');
    const answered: unknown[] = [];
    void log.append([]).then((it) => answered.push(it));
    await promisesSettled();
    log.mend('append');
    await log.append([]);
    await promisesSettled();
    expect(answered).toEqual([]);
  });
});
