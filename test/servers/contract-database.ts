import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { startPostgres } from './postgres-server.ts';

/** A Postgres for the contract of data layers, behind a gateway that can lose the answer to a COMMIT. */
export interface ContractDatabase {
  /** Through the gateway. */
  readonly url: string;
  ask(sql: string): Promise<readonly Record<string, unknown>[]>;
  statements(): Promise<number>;
  loseCommit(): void;
  stop(): Promise<void>;
}

/** The outbox, as `tidemark postgres migrate` makes it, and what the tests of PGlite need likewise. */
export const OUTBOX = `CREATE SCHEMA tidemark; SET search_path TO tidemark; ${readFileSync(
  new URL('../../src/postgres/migrations/0001-outbox.sql', import.meta.url),
  'utf8',
)}; SET search_path TO DEFAULT;`;

export async function startContractDatabase(): Promise<ContractDatabase> {
  const server = await startPostgres(['shared_preload_libraries=pg_stat_statements']);
  const own = new pg.Pool({ connectionString: server.url, max: 2 });
  // The server may be stopped before a connection has ended.
  own.on('error', () => {}).on('connect', (client) => client.on('error', () => {}));
  await own.query(OUTBOX);
  await own.query('CREATE EXTENSION pg_stat_statements');
  const gateway = new CommitGateway(server.port);
  const ask = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
    (await own.query<Record<string, unknown>>(sql)).rows;
  return {
    url: await gateway.listen(),
    ask,
    statements: async () => Number((await ask('SELECT sum(calls) AS calls FROM pg_stat_statements'))[0]?.['calls']),
    loseCommit: () => gateway.loseNext(),
    stop: async () => {
      await own.end();
      await gateway.close();
      await server.stop();
    },
  };
}

/** Passes everything on, but the answer to one COMMIT. */
class CommitGateway {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #to: number;
  #losing = false;

  constructor(to: number) {
    this.#to = to;
    this.#server = createServer((near) => this.#pass(near));
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `postgresql://postgres@127.0.0.1:${(this.#server.address() as AddressInfo).port}/postgres`;
  }

  loseNext(): void {
    this.#losing = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(near: Socket): void {
    const far = connect(this.#to, '127.0.0.1');
    let lost = false;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.on('data', (data: Buffer) => {
        if (from === near && this.#losing && /commit/i.test(data.toString('latin1'))) {
          this.#losing = false;
          lost = true;
        }
        // The server has answered: it has committed.
        if (from === far && lost) near.destroy();
        else to.write(data);
      });
    }
  }
}
