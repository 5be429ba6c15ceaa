import { shorten, TidemarkError } from '../coherence/errors.ts';
import type { ClusterServers, Connection } from './connection.ts';
import type { Link } from './link.ts';
import { listOf, textOf } from './reply.ts';

export interface KeyScanParts {
  /** `undefined` where one server has all keys. */
  readonly servers: ClusterServers | undefined;
  /** To that one server. */
  readonly link: () => Link;
  /** Another one, to a server of the Cluster. */
  readonly linkTo: (open: (timeout: number) => Promise<Connection>) => Link;
  /** Deadline of an exchange, in ms. */
  readonly timeout: number;
}

/** Names of keys, and where the next ones are; `undefined` after the last. */
export interface NamePage {
  readonly names: readonly string[];
  readonly next: string | undefined;
}

/** Fewest and most keys that a server looks at in one turn, and how many turns a page has: a server answers nobody else meanwhile. */
const FEWEST = 10;
const MOST = 1_000;
const TURNS = 20;

/**
 * Walks through all keys of a server, or of all servers of a Cluster one after the other, by `SCAN`. A key that is there all the
 * while is met at least once.
 */
export class KeyScan {
  readonly #parts: KeyScanParts;
  readonly #links = new Map<string, Link>();

  constructor(parts: KeyScanParts) {
    this.#parts = parts;
  }

  /**
   * @param match a glob of Redis, see {@link escapeGlob}
   * @param from `next` of the page before; `undefined` for the first
   * @param most about so many
   * @throws TidemarkError `INVALID_OPTION` for a `from` that is none; `UNAVAILABLE`; the server's error
   */
  async page(match: string, from: string | undefined, most: number, more: readonly string[] = []): Promise<NamePage> {
    const count = String(Math.min(MOST, Math.max(FEWEST, most)));
    const names: string[] = [];
    let at = from === undefined ? await this.#first() : readCursor(from);
    for (let turn = 0; at !== undefined && turn < TURNS && names.length < most; turn++) {
      const { cursor, server } = at;
      const link = await this.#link(server);
      const command = ['SCAN', cursor, 'MATCH', match, 'COUNT', count, ...more];
      const [next, found] = listOf(await link.run((connection) => connection.send(command), this.#parts.timeout));
      names.push(...listOf(found).map(textOf));
      at = textOf(next) === '0' ? await this.#after(server) : { cursor: textOf(next), server };
    }
    return { names, next: at && `${at.cursor}@${at.server}` };
  }

  /** Ends the links to servers of a Cluster. */
  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  #first(): Promise<Cursor | undefined> {
    return this.#parts.servers === undefined ? Promise.resolve({ cursor: '0', server: '' }) : this.#after('');
  }

  /** The beginning of the next server, in the order of their addresses: the same one also where some came or left meanwhile. */
  async #after(server: string): Promise<Cursor | undefined> {
    const { servers, timeout } = this.#parts;
    if (servers === undefined) return undefined;
    const listed = [...(await servers.list(timeout))].sort();
    const next = listed.find((it) => it > server);
    return next === undefined ? undefined : { cursor: '0', server: next };
  }

  async #link(server: string): Promise<Link> {
    const { servers, link, linkTo } = this.#parts;
    if (servers === undefined) return link();
    const known = this.#links.get(server);
    if (known !== undefined) return known;
    // One at a time: a walk is at one server, and a Cluster may have many.
    this.close();
    const made = linkTo((ms) => servers.connect(server, ms));
    this.#links.set(server, made);
    return made;
  }
}

interface Cursor {
  readonly cursor: string;
  /** Empty where one server has all keys. */
  readonly server: string;
}

function readCursor(from: string): Cursor {
  const [, cursor, server] = /^(\d+)@(.*)$/s.exec(from) ?? [];
  if (cursor !== undefined && server !== undefined) return { cursor, server };
  throw new TidemarkError(
    'INVALID_OPTION',
    `from: ${shorten(from)} is no \`next\` of a page before. Leave it out to begin.`,
  );
}

/** A text that a glob of Redis takes as it is. */
export function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&');
}
