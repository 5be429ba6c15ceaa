import pg from 'pg';
import { key } from '../../src/index.ts';
import { type Carrier, capture, migrate, type RelayOptions, setupCapture } from '../../src/postgres/index.ts';
import { keyOf } from './message.ts';

const messages = capture();
/** Of a row that is new nobody has anything yet, and the record about its change is the one that is looked for. */
const items = capture({
  tables: {
    item: {
      columns: ['id', 'value'],
      targets: (row: { id: number; value: number }) => (row.value === 0 ? [] : key(...keyOf(row.id))),
    },
  },
});

const prepare = async (url: string, source: typeof items): Promise<void> => {
  await migrate(url);
  await setupCapture(url, { capture: source });
};

/** How a killed writer's changes get to the log. */
export interface CrashCarrier {
  /** What the writers' transactions carry; `undefined`: they are plain SQL, and nothing of the library runs in them. */
  readonly carrier: Carrier | undefined;
  /** Settings of the server. */
  readonly settings: readonly string[];
  /** Makes what is needed, in a database that has the table `item (id int PRIMARY KEY, value int)`. */
  prepare(url: string): Promise<void>;
  /** Of the relay, besides the servers. */
  relay(): Partial<RelayOptions>;
}

export const carriers: Readonly<Record<string, CrashCarrier>> = {
  outbox: {
    carrier: 'outbox',
    settings: [],
    prepare: async (url) => void (await migrate(url)),
    relay: () => ({}),
  },
  wal: {
    carrier: 'wal',
    settings: [],
    prepare: (url) => prepare(url, messages),
    relay: () => ({ outbox: false, capture: messages }),
  },
  capture: {
    carrier: undefined,
    settings: [],
    prepare: async (url) => {
      const client = new pg.Client(url);
      await client.connect();
      await client.query('ALTER TABLE item REPLICA IDENTITY FULL');
      await client.end();
      await prepare(url, items);
    },
    relay: () => ({ outbox: false, capture: items }),
  },
};
