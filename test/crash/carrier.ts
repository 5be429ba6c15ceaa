import { migrate, type Carrier, type RelayOptions } from '../../src/postgres/index.ts';

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
};
