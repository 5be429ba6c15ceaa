import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import pg from 'pg';

/** What a run of writers came to. */
export interface Written {
  readonly by: string;
  readonly transactions: number;
  /** Transactions in a second. */
  readonly rate: number;
}

/** Where `pgbench` is, if it is anywhere. */
export function pgbenchProgram(): string | undefined {
  const versions = '/usr/lib/postgresql';
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((it) => it !== '');
  if (existsSync(versions)) for (const version of readdirSync(versions)) folders.push(join(versions, version, 'bin'));
  return folders.map((folder) => join(folder, 'pgbench')).find((it) => existsSync(it));
}

/** The tables of TPC-B, for one branch: by `pgbench`, or as it makes them. */
export async function fill(url: string, program: string | undefined): Promise<void> {
  if (program !== undefined) {
    execFileSync(program, ['--initialize', '--quiet', '--scale', '1', url], { stdio: 'ignore' });
    return;
  }
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`
    CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
    CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
    CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
    CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
    INSERT INTO pgbench_branches VALUES (1, 0);
    INSERT INTO pgbench_tellers SELECT t, 1, 0 FROM generate_series(1, 10) t;
    INSERT INTO pgbench_accounts SELECT a, 1, 0 FROM generate_series(1, 100000) a;
  `);
  await client.end();
}

/** Four clients, without anything of the library: `pgbench`, or the same statements where there is none. */
export async function write(url: string, program: string | undefined, seconds: number): Promise<Written> {
  if (program === undefined) return writeOverPg(url, seconds);
  const child = spawn(program, ['--no-vacuum', '--client', '4', '--jobs', '2', '--time', String(seconds), url], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, errors] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const transactions = /actually processed: (\d+)/.exec(out)?.[1];
  const rate = /tps = ([\d.]+)/.exec(out)?.[1];
  if (code !== 0 || transactions === undefined || rate === undefined) throw new Error(`pgbench failed:\n${errors}`);
  return { by: 'pgbench', transactions: Number(transactions), rate: Number(rate) };
}

async function writeOverPg(url: string, seconds: number): Promise<Written> {
  const began = performance.now();
  const until = began + seconds * 1_000;
  const random = (most: number): number => 1 + Math.floor(Math.random() * most);
  const client = async (): Promise<number> => {
    const connection = new pg.Client(url);
    await connection.connect();
    let done = 0;
    for (; performance.now() < until; done++) {
      const [aid, tid, delta] = [random(100_000), random(10), random(10_000) - 5_000];
      await connection.query('BEGIN');
      await connection.query('UPDATE pgbench_accounts SET abalance = abalance + $1 WHERE aid = $2', [delta, aid]);
      await connection.query('SELECT abalance FROM pgbench_accounts WHERE aid = $1', [aid]);
      await connection.query('UPDATE pgbench_tellers SET tbalance = tbalance + $1 WHERE tid = $2', [delta, tid]);
      await connection.query('UPDATE pgbench_branches SET bbalance = bbalance + $1 WHERE bid = 1', [delta]);
      await connection.query('INSERT INTO pgbench_history VALUES ($1, 1, $2, $3, CURRENT_TIMESTAMP)', [
        tid,
        aid,
        delta,
      ]);
      await connection.query('COMMIT');
    }
    await connection.end();
    return done;
  };
  const counts = await Promise.all([client(), client(), client(), client()]);
  const transactions = counts.reduce((sum, it) => sum + it, 0);
  return {
    by: 'the same statements over pg',
    transactions,
    rate: (transactions * 1_000) / (performance.now() - began),
  };
}
