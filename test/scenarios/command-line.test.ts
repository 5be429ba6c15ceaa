import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { key, tag } from '../../src/index.ts';
import { migrate } from '../../src/postgres/index.ts';
import { waitUntil } from '../../src/testing/wait-until.ts';
import { type CommandLine, type CommandLineOptions, commandLine, ranCommandLine } from '../servers/command-line.ts';
import { startPostgres } from '../servers/postgres-server.ts';
import { ask } from '../servers/redis-ask.ts';
import { listening, openShop, OPERATOR, READER, type Shop } from './command-line-stage.ts';

// The command line over a shop of two nodes, both ways: by the HTTP API of one of them, and by the fleet's own keys.

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
}, 60_000);
afterAll(() => shop.end());
beforeEach(async () => {
  await shop.nodes[0].cache.invalidate(key('price'));
});

/** What names the API, and what names the fleet. */
const byUrl = (token = OPERATOR): CommandLineOptions => ({ env: { TIDEMARK_URL: shop.url, TIDEMARK_TOKEN: token } });
const byRedis = (): CommandLineOptions => ({ env: { TIDEMARK_REDIS: shop.server.url, TIDEMARK_NAME: 'shop' } });
const ways = [
  ['by its HTTP API', () => byUrl()],
  ['by its keys', byRedis],
] as const;

const ran = (line: string, way: CommandLineOptions): ReturnType<typeof ranCommandLine> =>
  ranCommandLine(line.split(' '), way);

const json = async <T>(line: string, way: CommandLineOptions): Promise<T> =>
  JSON.parse((await ran(`${line} --json`, way)).out) as T;

describe.each(ways)('%s', (_name, way) => {
  it('lists the nodes, each attached and not behind', async () => {
    const { code, out, err } = await ran('nodes', way());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const [head, ...rows] = out
      .trim()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    expect(head?.slice(0, 4)).toEqual(['NODE', 'KIND', 'STATUS', 'ATTACHED']);
    expect(rows.map((cells) => cells[3])).toEqual(['yes', 'yes']);
    const names = shop.nodes.map(({ cache }) => cache.parts.node).sort();
    expect(rows.map(([name = '']) => name).sort()).toEqual(names);
    const { nodes } = await json<{ nodes: { node: string }[] }>('nodes', way());
    expect(nodes.map(({ node }) => node).sort()).toEqual(names);
  }, 30_000);

  it('says by its exit code how the fleet is', async () => {
    const { code, out } = await ran('health', way());
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^healthy +fleet of 2\nhit rate /) });
  }, 30_000);

  it('explains an entry that is fresh by the rule, and what its source would have had to invalidate', async () => {
    await shop.nodes[0].prices(1);
    shop.source.set(1, 11);
    const { code, out } = await ran('inspect price:1', way());
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('may be served') });
    expect(out).toMatch(
      /has invalidated none of: .*key price.*supplier:7|has invalidated none of: .*tag with the label/,
    );
    shop.source.set(1, 10);
  }, 30_000);

  it('explains an entry that is covered: by which record, who sent it, and why', async () => {
    const [one, other] = shop.nodes;
    await one.prices(2);
    const receipt = await other.cache.invalidate([tag('supplier:7')], { cause: { event: 'supplier.renamed' } });
    await one.prices.with({ atLeast: receipt })(1);
    const { code, out } = await ran('inspect price:2', way());
    expect(code).toBe(6);
    expect(out).toContain('tag supplier:7 was invalidated');
    expect(out).toMatch(new RegExp(`sent by +${other.cache.parts.node}\\n`));
    expect(out).toMatch(/event +supplier\.renamed\n/);
    const told = await json<{ entries: { covering: unknown }[] }>('inspect price:2', way());
    expect(told.entries[0]?.covering).toMatchObject({ origin: other.cache.parts.node, event: 'supplier.renamed' });
  }, 30_000);

  it('says of a key that nobody has read that there is no entry', async () => {
    const { code, out } = await ran('inspect price:404', way());
    expect({ code, out }).toEqual({ code: 7, out: expect.stringContaining('price:404') });
  }, 30_000);

  it('finds nothing wrong, and says what it has looked at; and what somebody takes for stale', async () => {
    await shop.nodes[0].prices(3);
    const [well, suspected] = await Promise.all([ran('doctor', way()), ran('doctor --key price:3 --json', way())]);
    expect(well).toMatchObject({ code: 0, out: expect.stringMatching(/^Nothing is wrong, .*Looked at: fleet, /s) });
    const { findings } = JSON.parse(suspected.out) as { findings: { code: string; cure: string }[] };
    expect(suspected.code).toBe(3);
    expect(findings).toMatchObject([
      { code: 'entry-fresh', cure: expect.stringContaining('tidemark invalidate --key price:3') },
    ]);
  }, 30_000);

  it('invalidates, for every node', async () => {
    await Promise.all(shop.nodes.map(({ prices }) => prices(4)));
    shop.source.set(4, 44);
    const { code, out, err } = await ran('invalidate --key price:4 --tag nobody --everywhere', way());
    expect({ code, out, err }).toEqual({
      code: 0,
      out: expect.stringMatching(/no node serves anything older/),
      err: '',
    });
    expect(await Promise.all(shop.nodes.map(({ prices }) => prices(4)))).toEqual([44, 44]);
    shop.source.set(4, 40);
  }, 30_000);

  it('tells what happens, while it happens', async () => {
    const run = commandLine(['tail', '--types', 'applied', '--most', '1', '--json'], way());
    const [applied] = await told(run, 1, () => shop.nodes[1].cache.invalidate(tag('told')));
    expect(applied).toMatchObject({
      type: 'applied',
      record: { targets: ['tag told'], origin: shop.nodes[1].cache.parts.node },
    });
    expect({ code: await run.code, err: run.err() }).toEqual({ code: 0, err: '' });
    const people = commandLine(['tail', '--most', '1', '--types', 'applied'], way());
    await told(
      people,
      1,
      () => shop.nodes[1].cache.invalidate(tag('told')),
      (line) => line,
    );
    expect(people.out()).toMatch(/^\d{4}-\S+Z +applied +tag told +by shop#\w+ after [\d.]+m?s\n$/);
    await people.code;
  }, 40_000);

  it('tails until it is told to end', async () => {
    const run = commandLine(['tail', '--types', 'applied'], way());
    await told(
      run,
      1,
      () => shop.nodes[1].cache.invalidate(tag('told')),
      (line) => line,
    );
    run.child.kill('SIGINT');
    expect({ code: await run.code, err: run.err() }).toEqual({ code: 0, err: '' });
  }, 30_000);

  it('goes through what is stored', async () => {
    const [{ prices }] = shop.nodes;
    await Promise.all([1, 2, 3].map((id) => prices(id)));
    await shop.nodes[0].cache.invalidate(prices.at(2));
    const { code, out, err } = await ran('check price', way());
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^4 entries|^3 entries/);
    const { verdicts } = await json<{ verdicts: Record<string, number> }>('check price', way());
    expect(verdicts).toMatchObject({ fresh: 2 });
    await ask(shop.server.port, 'SET', 'shop:v:price:9', 'bytes of something else');
    const spoilt = await ran('check price --json', way());
    expect(spoilt.code).toBe(5);
    expect(JSON.parse(spoilt.out)).toMatchObject({ unreadable: ['price:9'] });
    await ask(shop.server.port, 'DEL', 'shop:v:price:9');
  }, 60_000);

  it('shows what is invalidated most', async () => {
    for (let i = 0; i < 3; i++)
      await shop.nodes[1].cache.invalidate([tag('busy')], { cause: { event: 'saved', fields: { org: 'ORG1' } } });
    const { code, out } = await ran('top --every 100ms', way());
    expect(code).toBe(0);
    expect(out).toMatch(/ 3 +tag busy\n/);
    expect(out).toMatch(/ORG1/);
    expect(out).toMatch(new RegExp(`saved by ${shop.nodes[1].cache.parts.node}`));
  }, 30_000);
});

/** Does something again and again until lines have come: it may have begun before anybody listened. */
async function told<T = Record<string, unknown>>(
  run: CommandLine,
  least: number,
  happen: () => Promise<unknown>,
  read: (line: string) => T = (line) => JSON.parse(line) as T,
): Promise<readonly T[]> {
  const lines = (): string[] => run.out().split('\n').slice(0, -1);
  await waitUntil(
    async () => {
      if (lines().length < least) await happen();
      return lines().length >= least;
    },
    { timeout: 20_000, what: 'lines of the stream' },
  );
  return lines().map(read);
}

it('doctor --database finds what waits there for a relay, and its exit code says how bad that is', async () => {
  const postgres = await startPostgres();
  const database = new pg.Client(postgres.url);
  await database.connect();
  try {
    const diagnosed = (): ReturnType<typeof ran> => ran(`doctor --database ${postgres.url}`, byRedis());
    expect(await diagnosed()).toMatchObject({ code: 0, out: expect.stringMatching(/Looked at: .*database/) });
    await migrate(postgres.url);
    await database.query(
      "INSERT INTO tidemark.outbox (message, written_at) VALUES ('\\x00', clock_timestamp() - interval '90 s')",
    );
    const found = await diagnosed();
    expect(found).toMatchObject({ code: 4, err: '' });
    expect(found.out).toMatch(
      /^critical {2}Changes wait in the outbox\n {2}seen: 1 rows?, .*\n {2}cure: Start a relay/,
    );
    await database.query("UPDATE tidemark.outbox SET written_at = clock_timestamp() - interval '10 s'");
    expect((await diagnosed()).code).toBe(3);
  } finally {
    await database.end();
    await postgres.stop();
  }
  const gone = await ran(`doctor --database ${postgres.url}`, byRedis());
  expect(gone).toMatchObject({ code: 1, out: '' });
  expect(gone.err.trim().split('\n')).toHaveLength(1);
}, 120_000);

describe('only a node knows', () => {
  it('its queries, in a table that can be split', async () => {
    const { prices } = shop.nodes[0];
    for (let i = 0; i < 3; i++) await prices(1);
    const { out, code } = await ran('stats', byUrl(READER));
    expect(code).toBe(0);
    const [head, ...rows] =
      out
        .split('\n\n')[0]
        ?.split('\n')
        .map((line) => line.trim().split(/ {2,}/)) ?? [];
    expect(rows.every((cells) => cells.length === head?.length)).toBe(true);
    expect(rows.map(([name]) => name)).toContain('price');
    const metrics = await json<{ queries: { query: string }[] }>('stats', byUrl(READER));
    expect(metrics.queries.map(({ query }) => query)).toContain('price');
    const shown = await ran('top --every 100ms --json --times 2', byUrl(READER));
    expect(
      shown.out
        .trim()
        .split('\n')
        .map((line) => Object.keys(JSON.parse(line) as object)),
    ).toEqual([
      ['at', 'queries', 'targets', 'causes', 'tenants'],
      ['at', 'queries', 'targets', 'causes', 'tenants'],
    ]);
  }, 30_000);

  it('which fleet is not one of its own', async () => {
    expect(await ran('health --node', byUrl())).toMatchObject({ code: 0, out: expect.stringMatching(/this node/) });
    expect(await ran('health --node', byRedis())).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--node needs --url/),
    });
  }, 30_000);
});

describe('what does not work is told with its cure', () => {
  it.each([
    [
      'a token of another',
      'nodes',
      () => byUrl('x'.repeat(20)),
      1,
      /does not know this token\. Give a token of the role reader by TIDEMARK_TOKEN/,
    ],
    ['a reader who changes', 'invalidate --key a', () => byUrl(READER), 1, /needs a token of the role operator/],
    [
      'another path',
      'nodes',
      () => ({ env: { TIDEMARK_URL: shop.url.replace('/ops', '/elsewhere'), TIDEMARK_TOKEN: READER } }),
      1,
      /is not there .*--url with the path/,
    ],
    [
      'no API',
      'nodes',
      () => ({ env: { TIDEMARK_URL: 'http://127.0.0.1:9/ops' } }),
      1,
      /No API answers at http:\/\/127\.0\.0\.1:9\/ops \(.*\)\. Start one by "tidemark serve"/,
    ],
    [
      'no server',
      'nodes',
      () => ({ env: { TIDEMARK_REDIS: 'redis://127.0.0.1:9', TIDEMARK_NAME: 'shop' } }),
      1,
      /127\.0\.0\.1:9/,
    ],
    [
      'a name that there is not',
      'nodes',
      () => ({ env: { TIDEMARK_REDIS: shop.server.url, TIDEMARK_NAME: 'shpo' } }),
      2,
      /shpo.*shop/s,
    ],
    ['no name', 'nodes', () => ({ env: { TIDEMARK_REDIS: shop.server.url } }), 2, /--name/],
    ['neither', 'nodes', () => ({}), 2, /Which cache\? Give --url/],
    ['both', 'nodes --url http://a --redis redis://b', () => ({}), 2, /two ways to the same/],
    ['no address', 'nodes --url localhost', () => ({}), 2, /is no address\. Write it as http/],
    ['no time', 'nodes --timeout soon --url http://a', () => ({}), 2, /timeout/],
    ['no key', 'inspect', () => byUrl(), 2, /Missing .*KEY/],
    ['no target', 'invalidate', () => byUrl(), 2, /Nothing to invalidate\. Give --key/],
    ['a pattern, with nobody to ask', 'invalidate --pattern price:*', () => byUrl(), 2, /what matches price:\*.*--yes/],
    ['everything, with nobody to ask', 'invalidate --everything', () => byRedis(), 2, /invalidates everything.*--yes/],
    ['a key that is none', 'inspect a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p:q', () => byUrl(), 2, /deeper than 16 segments/],
  ] as const)(
    '%s',
    async (_what, line, way, code, message) => {
      const run = await ran(line, way());
      expect({ code: run.code, out: run.out, lines: run.err.trim().split('\n').length }).toEqual({
        code,
        out: '',
        lines: 1,
      });
      expect(run.err).toMatch(message);
    },
    30_000,
  );

  it('a server that does not answer in time', async () => {
    const silent = await listening(() => {});
    const run = await ran('nodes --timeout 300ms', { env: { TIDEMARK_URL: silent.url } });
    await silent.close();
    expect(run).toMatchObject({ code: 1, err: expect.stringMatching(/has not answered in 0\.3 s.*--timeout/) });
  }, 30_000);

  it('a server that redirects gets nobody else the token', async () => {
    const seen: unknown[] = [];
    const other = await listening((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    const redirecting = await listening((_, response) => response.writeHead(307, { location: other.url }).end());
    const run = await ran('nodes', { env: { TIDEMARK_URL: redirecting.url, TIDEMARK_TOKEN: OPERATOR } });
    await Promise.all([other.close(), redirecting.close()]);
    expect({ code: run.code, seen }).toEqual({ code: 1, seen: [] });
  }, 30_000);
});

it('--help is what docs/cli.md shows, and names every command of its table', async () => {
  const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  const [, shown] = /```console\n\$ tidemark --help\n(.*?)```/s.exec(page) ?? [];
  const { out } = await ranCommandLine(['--help']);
  expect(shown).toBe(out);
  const commands = [...out.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name);
  expect(commands.filter((name) => !page.includes(`| \`${name}`))).toEqual([]);
}, 30_000);

it('diagnoses a stale key in three commands, as docs/operations.md shows', async () => {
  const page = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const shown = [...page.matchAll(/```console\n\$ tidemark (.*)\n([^`]*)```/g)].map(([, line = '', out = '']) => ({
    line,
    out,
  }));
  const printed = shown.filter(({ out }) => out !== '');
  expect(shown.map(({ line }) => line)).toEqual([
    '--help',
    'doctor --key price:1',
    'inspect price:1',
    'inspect price:1',
  ]);
  const told = await openShop();
  try {
    const [one, other] = told.nodes;
    const way = { env: { TIDEMARK_URL: told.url, TIDEMARK_TOKEN: READER } };
    // Without a record there would be no position to load from.
    await one.cache.invalidate(tag('supplier:9'));
    await one.prices(1);
    await waitUntil(async () => (await one.cache.inspect('price:1')).entries.length === 2, {
      what: 'the stored entry',
    });
    const doctor = await ran('doctor --key price:1', way);
    const fresh = await ran('inspect price:1', way);
    const receipt = await other.cache.invalidate([tag('supplier:7')], { cause: { event: 'supplier.renamed' } });
    await one.prices.with({ atLeast: receipt })(2);
    const covered = await ran('inspect price:1', way);
    expect([doctor, fresh, covered].map(({ out }) => masked(out))).toEqual(printed.map(({ out }) => masked(out)));
  } finally {
    await told.end();
  }
}, 60_000);

/** Without times, numbers and names of nodes, and the spaces that depend on how long these are. */
function masked(text: string): string {
  return text
    .replace(/shop#\w+/g, 'shop#N')
    .replace(/\d[\d:.TZ -]*( ?(ms|min|s|m|UTC)\b)?/g, (it) => (/^\d$/.test(it) ? it : 'N '))
    .replace(/ +/g, ' ');
}
