import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { freePort } from './free-port.ts';
import { killed } from './killed.ts';
import { prometheusProgram } from './promtool.ts';

/** A Prometheus that a test has started for itself, on a free port. */
export interface PrometheusServer {
  readonly url: string;
  /** What its API says, such as `/api/v1/rules`. */
  ask(path: string): Promise<unknown>;
  /** The latest value of each series of a query, by labels in the order of their names: `{a="b"}`. */
  query(expr: string): Promise<ReadonlyMap<string, number>>;
  /** Ends it and deletes its folder. */
  stop(): Promise<void>;
}

interface Vector {
  readonly result: readonly { readonly metric: Record<string, string>; readonly value: readonly [number, string] }[];
}

/**
 * Starts one that scrapes every two seconds, and evaluates rules each second; resolves when it answers.
 *
 * @param ports of this machine, where `/metrics` is served
 * @param rules paths of files
 */
export async function startPrometheus(ports: readonly number[], rules: readonly string[]): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(folder, 'prometheus.yml');
  const targets = ports.map((port) => `127.0.0.1:${port}`);
  const scrape = { job_name: 'api', static_configs: [{ targets }] };
  const global = { scrape_interval: '2s', scrape_timeout: '2s', evaluation_interval: '1s' };
  writeFileSync(config, JSON.stringify({ global, rule_files: rules, scrape_configs: [scrape] }));
  const { command, env } = prometheusProgram('prometheus');
  const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--log.level=error'];
  const child = spawn(command, [...flags, `--web.listen-address=${address}`], {
    ...{ env, stdio: ['ignore', 'ignore', 'inherit'] },
  });
  const url = `http://${address}`;
  const stop = async (): Promise<void> => {
    await killed(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}${path}`, { headers: { connection: 'close' } });
    return ((await response.json()) as { readonly data: unknown }).data;
  };
  const query = async (expr: string): Promise<ReadonlyMap<string, number>> => {
    const { result } = (await ask(`/api/v1/query?query=${encodeURIComponent(expr)}`)) as Vector;
    return new Map(result.map(({ metric, value }) => [labelsOf(metric), Number(value[1])]));
  };
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error('prometheus ended.');
    return fetch(`${url}/-/ready`, { headers: { connection: 'close' } }).then(
      async ({ ok, body }) => (await body?.cancel(), ok),
      () => false,
    );
  };
  await waitUntil(isReady, { timeout: 30_000, every: 100 }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { url, ask, query, stop };
}

function labelsOf(metric: Readonly<Record<string, string>>): string {
  const labels = Object.entries(metric).filter(([name]) => name !== '__name__');
  return `{${labels
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}}`;
}
