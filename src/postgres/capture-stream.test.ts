import { expect, it } from 'vitest';
import { Stopwatch } from '../coherence/stopwatch.ts';
import { tag } from '../coherence/target.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { captureSettings } from './capture-options.ts';
import { CaptureStream } from './capture-stream.ts';
import type { Sender } from './source.ts';
import type { WalMessage, WalRelation } from './wal-message.ts';
import type { WalStreamListener } from './wal-stream.ts';

const relation: WalRelation = {
  ...{ schema: 'public', name: 'users', replicaIdentity: 'default', keyColumns: ['id'] },
  columns: [{ name: 'id', typeOid: 23 }],
};
const transaction: readonly WalMessage[] = [
  { tag: 'begin', xid: 5, commitLsn: 0x10n },
  { tag: 'insert', relation, new: { id: 1 } },
  { tag: 'commit', endLsn: 0x20n },
];

it('does not say that a commit is done which it has only just read', async () => {
  const clock = new FakeClock();
  let listener: WalStreamListener | undefined;
  let runs = true;
  const sender: Sender = {
    draft: (coverage, about) => ({ ...coverage, id: 'm', origin: 'relay', time: 0, ...about }),
    send: () => Promise.resolve(),
    confirmed: () => Promise.resolve(),
    seen: () => false,
    prove: () => Promise.resolve(),
    mark: () => undefined,
  };
  const context = {
    ...{ name: 'shop', clock, stopwatch: new Stopwatch(clock), random: () => 0.5, logger: undefined },
    logOptions: { slots: 16, hashes: 3, maxLag: 2_000, maxLife: 86_400_000 },
  };
  const tables = { users: { columns: ['id'], targets: () => tag('users') } };
  const stream = new CaptureStream({
    source: { context, schema: 'tidemark', emit: () => {}, database: {} as never },
    settings: captureSettings({ tables }, 'shop', 'tidemark'),
    sender,
    open: (_options, _acknowledged, it) => {
      listener = it;
      return Promise.resolve({ acknowledge: () => {}, stop: () => Promise.resolve() });
    },
    session: {
      query: () => Promise.resolve([{ snapshot: runs ? '5:6:5' : '6:6:', lsn: '0/20' }]),
      listen: () => Promise.resolve(),
      onEnded: () => {},
      end: () => {},
    },
    acknowledged: 0n,
    opened: () => Promise.resolve(),
    counts: { transactions: 0, records: 0, direct: 0, unknowable: 0 },
    fault: () => {},
    looked: () => {},
    failed: () => {},
  });
  await stream.start();
  // The end of the database's log is known before the commit that ends there is read.
  await clock.advance(1_000);
  for (const message of transaction) listener?.message(message);
  await clock.advance(500);
  expect([stream.waiting, stream.lag.lag(clock.monotonic())]).toEqual([1, undefined]);
  runs = false;
  await clock.advance(200);
  expect(stream.waiting).toBe(0);
  expect(stream.lag.lag(clock.monotonic())).toBeLessThanOrEqual(200);
  await stream.stop();
});
