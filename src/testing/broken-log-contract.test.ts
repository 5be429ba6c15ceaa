import { describe, expect, it } from 'vitest';
import type { Appended, InvalidationLog, Reading, Snapshot } from '../coherence/log.ts';
import type { Draft, LogRecord } from '../coherence/record.ts';
import { CaseList } from './case-list.ts';
import { logContract } from './log-contract.ts';
import type { LogSubject } from './log-subject.ts';
import { memoryLogSubject, type ReferenceLog } from './memory-log-subject.ts';

type Attachable = ReferenceLog & Required<InvalidationLog>;

/** What is wrong with a log: some of its methods, replaced. */
type Change = (log: Attachable) => Partial<InvalidationLog>;

function broken(change: Change): LogSubject {
  return memoryLogSubject((reference) => {
    const log = reference as Attachable;
    return {
      append: (drafts) => log.append(drafts),
      read: (after, options) => log.read(after, options),
      snapshot: () => log.snapshot(),
      attach: (onRecord) => log.attach(onRecord),
      close: () => log.close(),
      ...change(log),
    };
  });
}

const close = ({ log }: LogSubject): Promise<void> => log.close();

async function failuresOf(change: Change): Promise<string[]> {
  const list = new CaseList();
  logContract(list, { name: 'broken', open: () => broken(change), close });
  return [...(await list.failures()).keys()];
}

function without(record: LogRecord, field: 'cause' | 'lsnAfter'): LogRecord {
  const rest = { ...record };
  delete rest[field];
  return rest;
}

describe('the log contract finds', () => {
  const drafts =
    (change: (drafts: readonly Draft[]) => readonly Draft[]): Change =>
    (log) => ({
      append: (them) => log.append(change(them)),
    });
  const answers =
    (change: (answer: Appended) => Partial<Appended>): Change =>
    (log) => ({
      append: async (them) => {
        const answer = await log.append(them);
        return { ...answer, ...change(answer) };
      },
    });
  const readings =
    (change: (reading: Reading) => Partial<Reading>): Change =>
    (log) => ({
      read: async (after, options) => {
        const reading = await log.read(after, options);
        return { ...reading, ...change(reading) };
      },
    });
  const records = (change: (record: LogRecord) => LogRecord): Change =>
    readings((reading) => ({ records: reading.records.map(change) }));
  const snapshots =
    (change: (snapshot: Snapshot) => Partial<Snapshot>): Change =>
    (log) => ({
      snapshot: async () => {
        const snapshot = await log.snapshot();
        return { ...snapshot, ...change(snapshot) };
      },
    });

  it('nothing wrong with a log that is whole', async () => {
    expect(await failuresOf(() => ({}))).toEqual([]);
  });

  it.each<[string, Change, string]>([
    ['drafts in another order', drafts((it) => it.toReversed()), 'append: keeps the order of drafts, and all of them'],
    ['drafts left out', drafts((it) => it.slice(0, 40)), 'append: keeps the order of drafts, and all of them'],
    [
      'labels cut off',
      drafts((it) => it.map((draft) => ({ ...draft, labels: draft.labels.slice(0, 255) }))),
      'append: a thousand drafts, and a draft of a thousand labels',
    ],
    [
      'half an answer',
      answers(({ numbers }) => ({ numbers: numbers.slice(0, 1) })),
      'append: answers one number for each draft, each larger than the last',
    ],
    [
      'the same number twice',
      answers(({ numbers }) => ({ numbers: numbers.map(() => 1) })),
      'append: answers one number for each draft, each larger than the last',
    ],
    [
      'numbers in another order',
      answers(({ numbers }) => ({ numbers: numbers.toReversed() })),
      'append: keeps the order of drafts, and all of them',
    ],
    [
      'an epoch without a token',
      answers(() => ({ epoch: 'one' })),
      'append: answers the epoch of the log, whose positions have tokens',
    ],
    [
      'duplicates dropped',
      (log) => {
        const seen = new Map<string, Promise<Appended>>();
        return {
          append: (them) => {
            const id = them[0]?.id ?? '';
            const answer = seen.get(id) ?? log.append(them);
            seen.set(id, answer);
            return answer;
          },
        };
      },
      'append: the same draft twice is two records, for a duplicate is harmless and a dropped one is not',
    ],
    ['no chain', records((it) => ({ ...it, prev: 0 })), 'append: chains the records, the first of them to 0'],
    [
      'a chain with a false start',
      records((it) => (it.prev > 0 ? it : { ...it, prev: 7 })),
      'append: chains the records, the first of them to 0',
    ],
    ['a cause lost', records((it) => without(it, 'cause')), 'append: every kind, bound and extension survives'],
    [
      'a bound rounded',
      records((it) => (typeof it.lsn === 'bigint' ? { ...it, lsn: BigInt(Number(it.lsn)) } : it)),
      'append: every kind, bound and extension survives',
    ],
    [
      'what a bound was read after lost',
      records((it) => without(it, 'lsnAfter')),
      'append: every kind, bound and extension survives',
    ],
    [
      'labels without a sign',
      records((it) => ({ ...it, labels: it.labels.map(({ high, low }) => ({ high: high >>> 0, low })) })),
      'append: every kind, bound and extension survives',
    ],
    [
      'no limit',
      (log) => ({ read: (after, { wait }) => log.read(after, { wait, limit: 1e9 }) }),
      'read: at most as many as asked for, the oldest of them',
    ],
    [
      'the newest records first',
      (log) => ({
        read: async (after, { wait, limit }) => {
          const reading = await log.read(after, { wait, limit: 1e9 });
          return { ...reading, records: reading.records.slice(-limit) };
        },
      }),
      'read: at most as many as asked for, the oldest of them',
    ],
    [
      'a head of the batch alone',
      readings(({ head, records: them }) => ({ head: them.at(-1)?.number ?? head })),
      'read: at most as many as asked for, the oldest of them',
    ],
    [
      'no head without records',
      readings(({ head, records: them }) => ({ head: them.length > 0 ? head : 0 })),
      'read: the head alone where no record is asked for',
    ],
    [
      'records of another epoch',
      (log) => ({
        read: async ({ number }, options) => {
          const { epoch, head } = await log.snapshot();
          return log.read({ epoch, number: Math.min(number, head) }, options);
        },
      }),
      'read: no records for who is in another epoch, whatever the number',
    ],
    [
      'no wait',
      (log) => ({ read: (after, { limit }) => log.read(after, { wait: 0, limit }) }),
      'read: waits for a record, and brings it as soon as it is appended',
    ],
    [
      'a wait that nothing ends',
      (log) => ({
        read: async (after, options) => {
          const { records: found } = await log.read(after, { wait: 0, limit: 1 });
          return found.length > 0 || options.wait === 0 ? log.read(after, options) : new Promise(() => {});
        },
      }),
      'read: waits no longer than asked',
    ],
    [
      'one reader woken',
      (log) => {
        let waiting = false;
        return {
          read: (after, options) => {
            if (options.wait > 0 && waiting) return new Promise(() => {});
            waiting = options.wait > 0;
            return log.read(after, options);
          },
        };
      },
      'read: several wait at once, and each is woken',
    ],
    [
      'a proof out of the air',
      readings(() => ({ provenAt: 1e9 })),
      'read: a proof is dated between the sending of its request and the answer',
    ],
    [
      'a proof that does not age',
      readings(() => ({ provenAt: 0 })),
      'read: a proof is dated between the sending of its request and the answer',
    ],
    [
      'a snapshot that proves nothing',
      snapshots(() => ({ provenAt: undefined })),
      'snapshot: a proof is dated between the sending of its request and the answer',
    ],
    ['readings that outlive the log', () => ({ close: async () => {} }), 'close: ends the readings that wait'],
    [
      'options of its own',
      snapshots(({ options }) => ({ options: { ...options, maxLag: 1 } })),
      'snapshot: of a log without records is empty',
    ],
    [
      'a table behind its head',
      (log) => {
        const before = log.snapshot();
        return { snapshot: async () => ({ ...(await log.snapshot()), table: (await before).table }) };
      },
      'snapshot: has the newest number of each label',
    ],
    ['bans left out', snapshots(() => ({ bans: [] })), 'snapshot: is what a follower knows, after any records'],
    [
      'bans that stay',
      (log) => {
        const old: Snapshot['bans'][number][] = [];
        return snapshots(({ bans }) => {
          for (const ban of bans) if (!old.some((it) => it.number === ban.number)) old.push(ban);
          return { bans: old };
        })(log);
      },
      'snapshot: is what a follower knows, after any records',
    ],
    [
      'announcements left out',
      snapshots(() => ({ announcements: [] })),
      'state: an announcement is open until a record closes it',
    ],
    [
      'no floor',
      snapshots(() => ({ floor: 0 })),
      'state: a floor record raises the floor to what it states, and never lowers it',
    ],
    [
      'no bound of commits',
      snapshots(() => ({ lsn: undefined })),
      'state: the largest bound of commits counts, and an unknown one until a bound was read after it',
    ],
    [
      'a position past the head taken for the head',
      (log) => ({
        read: async ({ epoch, number }, options) => {
          const { head } = await log.snapshot();
          return log.read({ epoch, number: Math.min(number, head) }, options);
        },
      }),
      'loss: who reports a number past the head makes the log begin a new epoch',
    ],
    [
      'a new epoch that claims to know all commits',
      snapshots(({ lsn }) => ({ lsn: lsn === 'unknown' ? undefined : lsn })),
      'loss: a snapshot that follows it is of a new epoch, knows nothing, and knows no bound of commits',
    ],
    [
      'bans retired by no record',
      records((it) => (it.origin === 'log' ? { ...it, kind: 'invalidate' } : it)),
      'state: a ban retires after maxLife, by a record that raises the floor to it',
    ],
    [
      'records told a turn too late',
      (log) => ({ attach: (tell) => log.attach((record) => queueMicrotask(() => tell(record))) }),
      'attach: hands over the state, then each record in the turn of its append',
    ],
    [
      'records not told',
      (log) => ({ attach: (tell) => log.attach((record) => void (record.number === 2 || tell(record))) }),
      'attach: who follows knows what the log knows',
    ],
    [
      'followers that cannot leave',
      (log) => ({ attach: (tell) => ({ ...log.attach(tell), detach: () => {} }) }),
      'attach: each follower hears of everything, until it detaches',
    ],
  ])('%s', async (_, change, name) => {
    expect(await failuresOf(change)).toContain(name);
  });

  it.each<[string, Partial<LogSubject>, string[]]>([
    [
      'a loss that nobody notices',
      { lose: () => {} },
      [
        'loss: an append that follows it is answered with a new epoch',
        'loss: a reading that follows it is of a new epoch, without records',
        'loss: a snapshot that follows it is of a new epoch, knows nothing, and knows no bound of commits',
        'loss: a new epoch is a log like any other',
      ],
    ],
    [
      'a trim that trims nothing',
      { trim: () => {} },
      [
        'loss: trimmed records break the chain, and the snapshot is whole',
        'loss: where all records are trimmed, an empty answer below the head shows it',
      ],
    ],
  ])('%s', async (_, change, names) => {
    const list = new CaseList();
    logContract(list, { name: 'broken', open: () => ({ ...memoryLogSubject((log) => log), ...change }), close });
    expect([...(await list.failures()).keys()]).toEqual(names);
  });
});
