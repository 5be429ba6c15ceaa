import { type Api, optional } from '../api.ts';
import { type ApiCommand, apiCommand } from '../api-command.ts';
import { type Judged, type Tally, tallied } from '../entry-tally.ts';
import { patiently } from '../patience.ts';
import { plain } from '../plain.ts';
import { progress } from '../progress.ts';
import { count, percent } from '../quantity.ts';
import { line, say } from '../screen.ts';
import type { Samples } from '../samples.ts';
import { pairs } from '../table.ts';
import { wholeNumber } from '../whole-number.ts';

const args = {
  prefix: {
    type: 'positional',
    required: false,
    description: 'whole segments, such as user or user:42; all without it',
  },
  most: { type: 'string', description: 'entries that are looked at', valueHint: 'number', default: '10000' },
} as const;

/** Keys of one page, and of one request. */
const PAGE = 1_000;
const BATCH = 50;
/** Characters of the keys of one request, as an address has them. */
const LONGEST = 4_000;

/** `tidemark check` */
export const check: ApiCommand<typeof args> = apiCommand({
  name: 'check',
  description: 'Goes through the stored entries below a prefix and judges each by the rule',
  args,
  exits: { 5: 'entries that cannot be read, or that the sampler has seen differ from their source' },
  examples: [
    ['tidemark check user --redis redis://localhost --name shop', 'how many may be served, and why the others may not'],
    ['tidemark check --most 100000 --json', 'more of them, for a script'],
  ],
  run: async (api, args) => {
    const most = wholeNumber(args.most, '--most');
    const prefix = args.prefix ?? '';
    const { keys, more } = await listed(api, prefix, most);
    const tally = tallied(await judged(api, keys), await violationsOf(api, prefix));
    if (args.json === true) line({ prefix, keys: keys.length, more, ...tally });
    else say(text(tally, keys.length, more));
    return tally.unreadable.length + tally.violations.length > 0 ? 5 : 0;
  },
});

async function listed(api: Api, prefix: string, most: number): Promise<{ keys: readonly string[]; more: boolean }> {
  const keys = new Set<string>();
  for (let from: string | undefined; ; ) {
    const page = await patiently(() =>
      api.get<{ readonly keys: readonly string[]; readonly next?: string }>('/admin/cache/keys', {
        ...{ tier: 'store', prefix, from, most: PAGE },
      }),
    );
    for (const key of page.keys) if (keys.size < most) keys.add(key);
    if (page.next === undefined) return { keys: [...keys], more: false };
    if (keys.size >= most) return { keys: [...keys], more: true };
    from = page.next;
  }
}

async function judged(api: Api, keys: readonly string[]): Promise<readonly Judged[]> {
  const shown = progress('keys', keys.length);
  const all: Judged[] = [];
  let done = 0;
  try {
    for (const batch of batches(keys)) {
      const answer = await patiently(() =>
        api.get<{ readonly entries: readonly Judged[] }>('/admin/cache/verdicts', { keys: JSON.stringify(batch) }),
      );
      all.push(...answer.entries);
      shown.at((done += batch.length));
    }
  } finally {
    shown.end();
  }
  return all;
}

/** Not longer than an address may be. */
function* batches(keys: readonly string[]): Generator<readonly string[]> {
  let batch: string[] = [];
  let length = 0;
  for (const key of keys) {
    const own = encodeURIComponent(JSON.stringify(key)).length + 3;
    if (batch.length > 0 && (batch.length >= BATCH || length + own > LONGEST)) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(key);
    length += own;
  }
  if (batch.length > 0) yield batch;
}

/** What the sampler of the node that answers has seen; there is none where the fleet is read by its keys. */
async function violationsOf(api: Api, prefix: string): Promise<readonly string[]> {
  if (api.fleet) return [];
  const { violations } = await optional<Samples>(api.get('/admin/cache/samples'), { violations: [] });
  const seen = violations
    .filter(({ kind, key }) => kind === 'violation' && isWithin(key, prefix))
    .map(({ key }) => key);
  return [...new Set(seen)];
}

const isWithin = (key: string, prefix: string): boolean =>
  prefix === '' || key === prefix || key.startsWith(`${prefix}:`);

function text({ judged, verdicts, unreadable, violations }: Tally, keys: number, more: boolean): string {
  const rows = Object.entries(verdicts).map(([verdict, number]): [string, string] => [
    plain(verdict),
    `${count(number)}  ${percent(number / Math.max(judged, 1))}`,
  ]);
  const parts = [
    `${count(judged)} entries of ${count(keys)} keys${more ? '; there are more: give a longer prefix, or a larger --most' : ''}`,
    ...(rows.length > 0 ? [pairs(rows)] : []),
    ...named('Cannot be read: another serializer, or bytes of something else', unreadable),
    ...named('Differ from their source, as the sampler has seen', violations),
  ];
  return parts.join('\n\n');
}

function named(title: string, keys: readonly string[]): readonly string[] {
  if (keys.length === 0) return [];
  const shown = keys.slice(0, 20).map((it) => `  ${plain(it)}`);
  const others = keys.length > shown.length ? [`  and ${keys.length - shown.length} more`] : [];
  return [[`${title}:`, ...shown, ...others].join('\n')];
}
