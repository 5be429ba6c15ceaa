import { describe, expect, it } from 'vitest';
import { TidemarkError } from '../coherence/errors.ts';
import type { Receipt } from '../coherence/receipt.ts';
import { key, tag } from '../coherence/target.ts';
import { decodeRecord } from '../coherence/wire.ts';
import { Gate } from '../testing/gate.ts';
import { waitUntil } from '../testing/wait-until.ts';
import type { Statement } from './carrier.ts';
import type { DataLayer, Row } from './data-layer.ts';
import type { Announced, Invalidator } from './invalidator.ts';
import { type TransactionOptions, Transactions } from './transaction.ts';

const RECEIPT: Receipt = { status: 'applied', token: 'token' };

/** A layer and a cache that note what they are told, in one list; what fails, a test says. */
class Stage implements DataLayer<'native'>, Invalidator {
  readonly told: string[] = [];
  readonly asked: Statement[] = [];
  readonly options: Parameters<Invalidator['invalidate']>[1][] = [];
  /** What COMMIT fails with, each time one. */
  readonly commits: Error[] = [];
  outsideFails = false;
  invalidateFails: Error | undefined;
  confirmed: Promise<unknown> = Promise.resolve();
  noticesRollback?: boolean;

  async begin<T>(work: (native: 'native') => Promise<T>, { isolation }: { isolation: string | undefined }): Promise<T> {
    this.told.push(isolation === undefined ? 'begin' : `begin ${isolation}`);
    let value: T;
    try {
      value = await work('native');
    } catch (error) {
      this.told.push('rollback');
      throw error;
    }
    this.told.push('commit');
    const failure = this.commits.shift();
    if (failure !== undefined) throw failure;
    return value;
  }

  async query(native: 'native', statement: Statement): Promise<readonly Row[]> {
    this.told.push(`query ${native} ${statement.text.split(/[ (]/).slice(0, 2).join(' ')}`);
    this.asked.push(statement);
    return [{ xid: '77', identity: '1/2' }];
  }

  async outside({ text }: Statement): Promise<readonly Row[]> {
    this.told.push(`outside ${text.slice(0, 32)}`);
    if (this.outsideFails) throw new Error('gone');
    return [{ lsn: '0/10' }];
  }

  async invalidate(...[targets, options]: Parameters<Invalidator['invalidate']>): Promise<Receipt> {
    this.told.push(`invalidate ${targets.length}`);
    this.options.push(options);
    if (this.invalidateFails !== undefined) throw this.invalidateFails;
    return RECEIPT;
  }

  mark(): 'mark' {
    this.told.push('mark');
    return 'mark';
  }

  async announce(...[targets, options]: Parameters<Required<Invalidator>['announce']>): Promise<Announced> {
    this.told.push(`announce ${targets.length}`);
    this.options.push(options);
    await this.confirmed;
    return {
      committed: async (about) => {
        this.told.push('announced committed');
        this.options.push(about);
        return RECEIPT;
      },
      rolledBack: async () => {
        this.told.push('announced rolledBack');
        return RECEIPT;
      },
      unknown: () => void this.told.push('announced unknown'),
    };
  }
}

const collect = (_: 'native', changes: { invalidate(target: object): void }) => changes.invalidate(tag('a'));
const carriedCause = ({ values }: Statement): unknown =>
  decodeRecord(Buffer.from(values[0] ?? '', 'base64')).record.cause;
const state = (code: string): Error => Object.assign(new Error(code), { code });

describe('the order of a transaction', () => {
  it('is: work, written copy, commit, invalidation by the same id', async () => {
    const stage = new Stage();
    const { value, receipt } = await new Transactions(stage, { notify: false }).run(
      stage,
      (native, changes) => {
        stage.told.push(`work ${native}`);
        changes.invalidate(key('user', 1), tag('a'));
        return 5;
      },
      { isolation: 'serializable', cause: { event: 'e' } },
    );
    expect([value, receipt]).toEqual([5, RECEIPT]);
    expect(stage.told).toEqual([
      'begin serializable',
      'work native',
      'query native INSERT INTO',
      'commit',
      'invalidate 2',
    ]);
    expect(stage.options).toEqual([{ id: expect.stringMatching(/^[0-9a-f]{32}$/), cause: { event: 'e' } }]);
  });

  it('writes down the trace of whoever writes, unless the cause has one', async () => {
    const traced = Object.assign(new Stage(), { parts: { traceparent: () => 'active' } });
    const transactions = new Transactions(traced);
    await transactions.run(traced, collect, { cause: { event: 'e' } });
    await transactions.run(traced, collect, { cause: { event: 'e', trace: 'given' } });
    const silent = Object.assign(new Stage(), { parts: { traceparent: () => undefined } });
    await new Transactions(silent).run(silent, collect);
    expect([...traced.asked, ...silent.asked].map(carriedCause)).toEqual([
      { event: 'e', trace: 'active' },
      { event: 'e', trace: 'given' },
      undefined,
    ]);
  });

  it('asks how far a replica must be after the commit, and for what was applied before that', async () => {
    const stage = new Stage();
    await new Transactions(stage, { carrier: 'none', replicas: true }).run(
      { ...layerOf(stage), noticesRollback: true },
      collect,
    );
    expect(stage.told).toEqual(['begin', 'commit', 'mark', 'outside SELECT pg_current_wal_insert_lsn', 'invalidate 1']);
    expect(stage.options).toMatchObject([{ lsn: 16n, lsnMark: 'mark' }]);
  });

  it('says that the bound is unknown where it cannot be asked', async () => {
    const stage = new Stage();
    stage.outsideFails = true;
    await new Transactions(stage, { replicas: true }).run(stage, collect);
    expect(stage.options).toEqual([{ id: expect.any(String), lsn: 'unknown' }]);
  });

  it('asks whether a statement has failed, where the layer would not notice and nothing is carried', async () => {
    const stage = new Stage();
    const transactions = new Transactions(stage, { carrier: 'none' });
    await transactions.run(stage, collect);
    expect(stage.asked.map(({ text }) => text)).toEqual(['SELECT 1']);
    await transactions.run({ ...layerOf(stage), noticesRollback: true }, collect);
    await transactions.run(stage, () => {});
    expect(stage.asked.length).toBe(1);
  });

  it('is announced before the commit, where it is strict', async () => {
    const stage = new Stage();
    await new Transactions(stage, { carrier: 'none' }).run(stage, collect, { strict: { timeout: '2s' } });
    expect(stage.told).toEqual([
      'begin',
      'query native SELECT pg_current_xact_id',
      'announce 1',
      'commit',
      'announced committed',
    ]);
    const [announced, committed] = stage.options;
    expect(announced).toEqual({ id: expect.stringMatching(/^000000000000004d/), timeout: '2s' });
    expect(committed?.id).not.toBe(announced?.id);
  });
});

describe('a COMMIT that fails', () => {
  const unknown = [state('08006'), state('57P01'), state('XX000'), new Error('terminated'), state('ECONNRESET')];
  const certain = [state('23505'), state('40001'), new TidemarkError('NOT_COMMITTED', 'x')];

  it.each(unknown)('may have been carried out: %s', async (error) => {
    const stage = new Stage();
    stage.commits.push(error);
    const ended = new Transactions(stage, { replicas: true }).run(stage, collect, { cause: { event: 'e' } });
    await expect(ended).rejects.toBe(error);
    expect(stage.told.slice(-2)).toEqual(['commit', 'invalidate 1']);
    // Not by the id of the written copy: whoever sees that takes it that the commit was visible.
    expect(stage.options).toEqual([{ lsn: 'unknown', cause: { event: 'e' } }]);
  });

  it.each(certain)('was not carried out: %s', async (error) => {
    const stage = new Stage();
    stage.commits.push(error);
    await expect(new Transactions(stage).run(stage, collect)).rejects.toBe(error);
    expect(stage.told.at(-1)).toBe('commit');
  });

  it('leaves an announcement to the relay, or closes it', async () => {
    for (const [error, end] of [
      [state('57P01'), 'announced unknown'],
      [state('23505'), 'announced rolledBack'],
    ] as const) {
      const stage = new Stage();
      stage.commits.push(error);
      await expect(new Transactions(stage).run(stage, collect, { strict: true })).rejects.toBe(error);
      expect(stage.told.at(-1)).toBe(end);
    }
  });

  it('is what the caller hears of, also where the cache refuses', async () => {
    const stage = new Stage();
    const error = new Error('terminated');
    stage.commits.push(error);
    stage.invalidateFails = new TidemarkError('CLOSED', 'closed');
    await expect(new Transactions(stage).run(stage, collect)).rejects.toBe(error);
  });

  it('is tried again as often as is told, and each attempt has ids and targets of its own', async () => {
    const stage = new Stage();
    stage.commits.push(state('40001'), state('40P01'));
    let attempts = 0;
    const { value } = await new Transactions(stage).run(
      stage,
      (_, changes) => {
        changes.invalidate(tag(`attempt:${++attempts}`));
        return attempts;
      },
      { retries: 2 },
    );
    expect(value).toBe(3);
    expect(new Set(stage.asked.map(({ values }) => values[0])).size).toBe(3);
    expect(stage.told.filter((it) => it.startsWith('invalidate'))).toEqual(['invalidate 1']);
    stage.commits.push(state('40001'), state('40001'));
    await expect(new Transactions(stage).run(stage, collect, { retries: 1 })).rejects.toMatchObject({ code: '40001' });
  });

  it('is judged by the layer, where its errors have other codes', async () => {
    const stage = new Stage();
    stage.commits.push(state('P2034'));
    const layer = { ...layerOf(stage), sqlState: () => '40001' };
    await new Transactions(stage).run(layer, collect, { retries: 1 });
    expect(stage.told.at(-1)).toBe('invalidate 1');
  });
});

describe('a layer that says that the connection is lost while the work goes on', () => {
  it('is believed: nothing is written down afterwards, nor committed', async () => {
    const stage = new Stage();
    const gate = new Gate();
    const { layer, work } = losing(stage);
    const ended = new Transactions(stage).run(layer, async (_, changes) => {
      changes.invalidate(tag('a'));
      await gate.promise;
    });
    await expect(ended).rejects.toThrow('lost');
    gate.open();
    await expect(work()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(stage.told).toEqual([]);
  });

  it('leaves no announcement open that is confirmed only then', async () => {
    const stage = new Stage();
    const gate = new Gate();
    stage.confirmed = gate.promise;
    const { layer, work } = losing(stage, () => stage.told.includes('announce 1'));
    await expect(new Transactions(stage).run(layer, collect, { strict: true })).rejects.toThrow('lost');
    gate.open();
    await expect(work()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(stage.told.slice(-2)).toEqual(['announce 1', 'announced rolledBack']);
  });

  /** Rejects once `now` holds, whatever the work does. */
  function losing(stage: Stage, now = () => true) {
    let running: Promise<unknown> | undefined;
    const layer: DataLayer<'native'> = {
      ...layerOf(stage),
      begin: async (work) => {
        running = work('native');
        running.catch(() => {});
        await waitUntil(now);
        throw new Error('lost');
      },
    };
    return { layer, work: () => running };
  }
});

describe('reads of the cache', () => {
  it('are kept from it inside, unless it is told otherwise', async () => {
    const stage = new Stage();
    let times = 0;
    const cache: Invalidator = {
      invalidate: (...args) => stage.invalidate(...args),
      bypass: (fn) => {
        times++;
        return fn();
      },
    };
    await new Transactions(cache).run(stage, () => {});
    expect(times).toBe(1);
    await new Transactions(cache, { bypass: false }).run(stage, () => {});
    expect(times).toBe(1);
  });
});

describe('a transaction that its user ends', () => {
  it('goes the same way', async () => {
    const stage = new Stage();
    const attempt = new Transactions(stage).attempt({ cause: { event: 'e' } });
    attempt.changes.invalidate(tag('a'));
    await attempt.prepare((statement) => stage.query('native', statement));
    expect(() => attempt.changes.invalidate(tag('b'))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect(await attempt.committed((statement) => stage.outside(statement))).toEqual(RECEIPT);
    expect(stage.told).toEqual(['query native WITH kept', 'invalidate 1']);
  });

  it('ends once: what fails afterwards is the user tidying up', async () => {
    const stage = new Stage();
    const attempt = new Transactions(stage).attempt({ strict: true });
    attempt.changes.invalidate(tag('a'));
    await attempt.prepare((statement) => stage.query('native', statement));
    await attempt.failed(state('57P01'));
    await attempt.failed(undefined, '40000');
    expect(stage.told.filter((it) => it.startsWith('announced'))).toEqual(['announced unknown']);
  });
});

describe('options', () => {
  const stage = new Stage();
  const refused = expect.objectContaining({ code: 'INVALID_OPTION' });

  it.each([
    { carrier: 'pigeon' },
    { carrier: 'toString' },
    { schema: '' },
    { notify: 'yes' },
    { replicas: 1 },
    { bypass: null },
    { carier: 'wal' },
  ])('of all transactions are refused: %j', (options) => {
    expect(() => new Transactions(stage, options as never)).toThrow(refused);
  });

  it('need a cache', () => {
    for (const nothing of [undefined, null, {}, 'cache'])
      expect(() => new Transactions(nothing as never)).toThrow(refused);
  });

  it.each([
    { isolation: 'snapshot' },
    { isolation: 'valueOf' },
    { retries: -1 },
    { retries: 0.5 },
    { retries: '1' },
    { strict: 'yes' },
    { strict: { timeout: 'soon' } },
    { strict: { time: 5 } },
    { cause: { event: 5 } },
    { cause: 'because' },
    { retry: 1 },
  ])('of one are refused before it begins: %j', async (options) => {
    const stage = new Stage();
    await expect(new Transactions(stage).run(stage, () => {}, options as TransactionOptions)).rejects.toEqual(refused);
    expect(stage.told).toEqual([]);
    expect(() => new Transactions(stage).attempt(options as object)).toThrow(refused);
  });

  it('ask for strict writes only where the cache can announce', async () => {
    const cache: Invalidator = { invalidate: (...args) => stage.invalidate(...args) };
    await expect(new Transactions(cache).run(stage, () => {}, { strict: true })).rejects.toEqual(refused);
    await expect(new Transactions(cache).run(stage, () => {}, { strict: false })).resolves.toBeDefined();
  });
});

function layerOf(stage: Stage): DataLayer<'native'> {
  return {
    begin: (work, settings) => stage.begin(work, settings),
    query: (native, statement) => stage.query(native, statement),
    outside: (statement) => stage.outside(statement),
  };
}
