import { systemClock, systemRandom } from '../cache/system-clock.ts';
import { milliseconds } from '../coherence/duration.ts';
import type { Connection } from './connection.ts';
import { lazyDriver } from './driver.ts';
import { KeyScan } from './key-scan.ts';
import { Link } from './link.ts';
import type { RedisOptions } from './redis-options.ts';

/** Keys that are looked at for one answer. */
const COUNT = 1_000;

/**
 * The names of all logs on a server, or in a Cluster, in order; each with its prefix. For tools that are told a name that there is
 * not. It looks at every key of the server: about a second for each million.
 *
 * @param options `timeout`: of one exchange, default `'2s'`
 * @throws TidemarkError `INVALID_OPTION`; `UNAVAILABLE` when no server answers; the server's error, such as for want of `+scan`
 * @example await logNames({ url: 'redis://localhost:6379' }); // ['shop', 'staging:shop']
 */
export async function logNames({
  timeout = '2s',
  ...where
}: Pick<RedisOptions, 'url' | 'client' | 'timeout'>): Promise<readonly string[]> {
  const ms = milliseconds(timeout, 'timeout');
  const driver = lazyDriver(where);
  const random = systemRandom();
  const links: Link[] = [];
  const linkTo = (open: (timeout: number) => Promise<Connection>): Link => {
    const link = new Link({ open, clock: systemClock, random, timeout: ms });
    links.push(link);
    return link;
  };
  let only: Link | undefined;
  const link = (): Link => (only ??= linkTo((limit) => driver.connect('', limit)));
  const scan = new KeyScan({ servers: driver.servers, link, linkTo, timeout: ms });
  try {
    const names = new Set<string>();
    for (let from: string | undefined; ; ) {
      const page = await scan.page('{*}:log', from, COUNT, ['TYPE', 'hash']);
      for (const name of page.names) names.add(name.slice(1, name.lastIndexOf('}')));
      if (page.next === undefined) return [...names].sort();
      from = page.next;
    }
  } finally {
    for (const it of links) it.close();
    driver.close();
  }
}
