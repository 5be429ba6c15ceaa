import type { Diagnostics, KeyPage, ServerReport } from '../cache/diagnostics.ts';
import { TidemarkError } from '../coherence/errors.ts';
import { canonicalKey, keyOf } from '../coherence/key.ts';
import type { LogRecord } from '../coherence/record.ts';
import type { Argument, Reply } from './connection.ts';
import { escapeGlob, type KeyScan } from './key-scan.ts';
import type { RedisKeys } from './keys.ts';
import type { Link } from './link.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import { readInfo } from './server-info.ts';
import { readEntry } from './stream-entry.ts';

export interface RedisDiagnosticsParts {
  readonly keys: RedisKeys;
  /** To the server of the log, for tools alone: what takes long here keeps no reader waiting. Made when it is first asked for. */
  readonly tools: () => Link;
  readonly scan: KeyScan;
  /** Deadline of an exchange, in ms. */
  readonly timeout: number;
  readonly release: () => void;
}

/** Most entries of the stream in one answer. */
const ENTRIES = 100;

/** What tools see of a fleet's server. In a Cluster `server` is that of the log, and values are looked for on all. */
export class RedisDiagnostics implements Diagnostics {
  readonly #parts: RedisDiagnosticsParts;
  #closed = false;

  constructor(parts: RedisDiagnosticsParts) {
    this.#parts = parts;
  }

  async server(): Promise<ServerReport> {
    const { log, stream, table, bans, nodes, places, reports } = this.#parts.keys;
    const info = textOf(await this.#ask('INFO', 'server', 'memory', 'clients', 'stats', 'replication'));
    const sizes = [log, stream, table, bans, nodes, places, reports].map((key) => this.#ask('MEMORY', 'USAGE', key));
    const [bytes, records] = await Promise.all([known(Promise.all(sizes)), known(this.#ask('XLEN', stream))]);
    return {
      ...readInfo(info),
      logBytes: bytes?.reduce<number>((sum, size) => sum + (size === null ? 0 : numberOf(size)), 0),
      logRecords: records === undefined ? undefined : numberOf(records),
    };
  }

  async exists(): Promise<boolean> {
    return (await this.#epoch()) !== undefined;
  }

  /** By `SCAN`, which looks at every key of the server: a walk takes a second for each million or so. */
  async places(prefix: string, from: string | undefined, most: number): Promise<KeyPage> {
    this.#checkOpen();
    const path = prefix === '' ? '' : canonicalKey(prefix);
    const start = this.#parts.keys.value('');
    // A version stands before the key: what is at the beginning of the key is looked for anywhere, and looked at again here.
    const match = `${escapeGlob(start)}*${path === '' ? '' : `${escapeGlob(path)}*`}`;
    const { names, next } = await this.#parts.scan.page(match, from, most);
    const places = names.map((name) => name.slice(start.length));
    return { places: path === '' ? places : places.filter((place) => isWithin(keyOf(place), path)), next };
  }

  async records(most: number, before?: number): Promise<readonly LogRecord[]> {
    const epoch = await this.#epoch();
    if (epoch === undefined) return [];
    const { stream } = this.#parts.keys;
    const found: LogRecord[] = [];
    const take = (reply: Reply): number => {
      const entries = listOf(reply).map(readEntry);
      for (const entry of entries) if (entry.epoch === epoch) found.push(...entry.records.toReversed());
      return entries.at(-1)?.records[0]?.number ?? 0;
    };
    // One append may have begun before that number, and ended at it or after.
    if (before !== undefined) take(await this.#ask('XRANGE', stream, `${before}-0`, '+', 'COUNT', '1'));
    const wanted = (): LogRecord[] => found.filter(({ number }) => before === undefined || number < before);
    for (let end = before === undefined ? '+' : `(${before}-0`; wanted().length < most; ) {
      const reply = await this.#ask('XREVRANGE', stream, end, '(0-1', 'COUNT', String(Math.min(most, ENTRIES)));
      const first = take(reply);
      if (listOf(reply).length === 0) break;
      end = `(${first}-0`;
    }
    return wanted().slice(0, most);
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#parts.scan.close();
    this.#parts.release();
    return Promise.resolve();
  }

  async #epoch(): Promise<string | undefined> {
    const epoch = await this.#ask('HGET', this.#parts.keys.log, 'epoch');
    return epoch === null ? undefined : textOf(epoch);
  }

  async #ask(...command: readonly Argument[]): Promise<Reply> {
    this.#checkOpen();
    return this.#parts.tools().run((connection) => connection.send(command), this.#parts.timeout);
  }

  #checkOpen(): void {
    if (this.#closed) throw new TidemarkError('CLOSED', 'The diagnostics of this cache are closed with it.');
  }
}

/** What a server does not answer is not known: a user may not be allowed to ask. */
async function known<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch {
    return undefined;
  }
}

/** Whether a key is another one or below it. */
function isWithin(key: string, path: string): boolean {
  return key === path || key.startsWith(`${path}:`);
}
