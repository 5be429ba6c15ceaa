import assert from 'node:assert/strict';
import type { Store } from '../cache/store.ts';
import { entryLabels } from '../coherence/label.ts';
import { everything, key, pattern, tag, type Target } from '../coherence/target.ts';
import { type ContractCase, type ContractOptions, type Runner, runContract } from './runner.ts';

/** An empty store, as the contract handles it. */
export interface StoreSubject {
  readonly store: Store;
  /** Lets at least so many ms pass, for the store and for its server. */
  readonly elapse: (ms: number) => Promise<void>;
}

const SHORT = 200;
const LONG = 60_000;
/** How much later than promised a server may forget an entry, in ms. */
const LATE = 100;

/** What a key may hold: separators, escapes, what other systems give a meaning to, and the greatest length. */
const ODD_KEYS: readonly string[] = [
  ...[
    ':',
    '\\',
    'a:b\\:c',
    'a\\\\b',
    ' ',
    ' a ',
    'a\nb',
    'a\u0000b',
    '*',
    'a*',
    '?',
    '[a]',
    '{a}',
    'a{b}c',
    '%',
    '/',
    '..',
  ],
  ...['__proto__', 'constructor', 'toString', 'undefined', '0', '-1', 'a', 'A'],
  ...['é', 'e\u0301', '鍵', '😀', '\u{10ffff}', 'x'.repeat(1024), `${'x'.repeat(1023)}y`, '鍵'.repeat(1024)],
];

/**
 * What every {@link Store} does while its server is up and has room. That an entry is found again is promised by none:
 * the cases that look for one need a store that nobody else fills. Those of `reclaim` hold for a store without it too.
 *
 * @example
 * storeContract({ describe, it, beforeEach, afterEach }, { name: 'my store', open: () => ({ store, elapse }) });
 */
export function storeContract<S extends StoreSubject>(runner: Runner, options: ContractOptions<S>): void {
  runContract(runner, options, cases);
}

const cases: Readonly<Record<string, ContractCase<StoreSubject>>> = {
  'keeps many as it keeps one, the last of those under the same key, and says of each that it did': async ({
    store,
    elapse,
  }) => {
    if (store.setMany === undefined) return;
    const entries = [
      { key: 'a', bytes: bytes(1), ttl: LONG, labels: entryLabels('a', []) },
      { key: 'b', bytes: bytes(2), ttl: SHORT, labels: entryLabels('b', []) },
      { key: 'a', bytes: bytes(3), ttl: LONG, labels: entryLabels('a', []) },
    ];
    assert.deepEqual([...(await store.setMany(entries))], [undefined, undefined, undefined]);
    assert.deepEqual(await found(store, ['a', 'b']), [[3], [2]]);
    await elapse(SHORT + LATE);
    assert.deepEqual(await found(store, ['a', 'b']), [[3], undefined]);
    assert.deepEqual([...(await store.setMany([]))], []);
  },
  'answers in the order of the keys, undefined where there is nothing': async ({ store }) => {
    await store.set('a', bytes(1), LONG);
    await store.set('b', bytes(2), LONG);
    assert.deepEqual(await found(store, ['b', 'x', 'a', 'b', 'y']), [[2], undefined, [1], [2], undefined]);
    assert.deepEqual(await found(store, ['x']), [undefined]);
  },

  'answers nothing where nothing is asked': async ({ store }) => {
    assert.deepEqual(await found(store, []), []);
    assert.equal(await store.remove([]), 0);
  },

  'answers many keys at once': async ({ store }) => {
    const keys = Array.from({ length: 1_000 }, (_, i) => `many:${i}`);
    await Promise.all(keys.map((key, i) => store.set(key, bytes(i % 256, i >> 8), LONG)));
    assert.deepEqual(
      await found(store, keys),
      keys.map((_, i) => [i % 256, i >> 8]),
    );
    assert.equal(await store.remove(keys), 1_000);
  },

  'keeps bytes as they are': async ({ store }) => {
    const every = Uint8Array.from({ length: 256 }, (_, i) => i);
    const part = every.subarray(100, 110);
    await store.set('every', every, LONG);
    await store.set('part', part, LONG);
    await store.set('none', bytes(), LONG);
    assert.deepEqual(await found(store, ['every', 'part', 'none']), [[...every], [...part], []]);
  },

  'answers bytes, whatever was given: a Uint8Array': async ({ store }) => {
    await store.set('a', Buffer.from('text'), LONG);
    const [answer] = await store.getMany(['a']);
    assert.ok(answer instanceof Uint8Array, 'not a Uint8Array');
    assert.equal(Buffer.from(answer).toString(), 'text');
  },

  'keeps a value of a mebibyte': async ({ store }) => {
    const large = Uint8Array.from({ length: 2 ** 20 }, (_, i) => (i * 31) % 251);
    await store.set('large', large, LONG);
    const [answer] = await store.getMany(['large']);
    assert.ok(answer !== undefined && Buffer.compare(answer, large) === 0, 'other bytes than were set');
  },

  'replaces bytes': async ({ store }) => {
    await store.set('a', bytes(1, 2, 3), LONG);
    await store.set('a', bytes(4), LONG);
    assert.deepEqual(await found(store, ['a']), [[4]]);
  },

  'keeps bytes no longer than their time': async ({ store, elapse }) => {
    await store.set('short', bytes(1), SHORT);
    await store.set('long', bytes(2), LONG);
    assert.deepEqual(await found(store, ['short', 'long']), [[1], [2]]);
    await elapse(SHORT + LATE);
    assert.deepEqual(await found(store, ['short', 'long']), [undefined, [2]]);
  },

  'counts the time anew when bytes are replaced': async ({ store, elapse }) => {
    await store.set('longer', bytes(1), SHORT);
    await store.set('shorter', bytes(1), LONG);
    await store.set('longer', bytes(2), LONG);
    await store.set('shorter', bytes(2), SHORT);
    await elapse(SHORT + LATE);
    assert.deepEqual(await found(store, ['longer', 'shorter']), [[2], undefined]);
  },

  'keeps nothing for no time': async ({ store }) => {
    await store.set('a', bytes(1), 0);
    assert.deepEqual(await found(store, ['a']), [undefined]);
  },

  'forgets what is replaced for no time': async ({ store }) => {
    await store.set('a', bytes(1), LONG);
    await store.set('a', bytes(2), 0);
    assert.deepEqual(await found(store, ['a']), [undefined]);
  },

  'takes a time that is not a whole number: jitter makes such': async ({ store, elapse }) => {
    await store.set('short', bytes(1), SHORT + 0.25);
    await store.set('long', bytes(2), LONG + 0.25);
    await store.set('shortest', bytes(3), 0.25);
    await elapse(SHORT + LATE);
    assert.deepEqual(await found(store, ['short', 'long', 'shortest']), [undefined, [2], undefined]);
  },

  'takes a time of a year': async ({ store }) => {
    await store.set('a', bytes(1), 365 * 86_400_000);
    assert.deepEqual(await found(store, ['a']), [[1]]);
  },

  'removes, and counts what there was': async ({ store }) => {
    await store.set('a', bytes(1), LONG);
    await store.set('b', bytes(2), LONG);
    await store.set('c', bytes(3), LONG);
    assert.equal(await store.remove(['a', 'x', 'b', 'a']), 2);
    assert.deepEqual(await found(store, ['a', 'b', 'c']), [undefined, undefined, [3]]);
    assert.equal(await store.remove(['a']), 0);
  },

  'does not count what has run out': async ({ store, elapse }) => {
    await store.set('a', bytes(1), SHORT);
    await elapse(SHORT + LATE);
    assert.equal(await store.remove(['a']), 0);
  },

  'keeps again what was removed and set again': async ({ store }) => {
    await store.set('a', bytes(1), LONG);
    await store.remove(['a']);
    await store.set('a', bytes(2), LONG);
    assert.deepEqual(await found(store, ['a']), [[2]]);
  },

  'tells odd keys apart': async ({ store }) => {
    assert.deepEqual(
      await found(store, ODD_KEYS),
      ODD_KEYS.map(() => undefined),
    );
    for (const [i, key] of ODD_KEYS.entries()) await store.set(key, bytes(i), LONG);
    assert.deepEqual(
      await found(store, ODD_KEYS),
      ODD_KEYS.map((_, i) => [i]),
    );
  },

  'removes the keys that were named, and no others': async ({ store }) => {
    for (const [i, key] of ODD_KEYS.entries()) await store.set(key, bytes(i), LONG);
    for (const [i, key] of ODD_KEYS.entries()) {
      assert.equal(await store.remove([key]), 1, `key ${JSON.stringify(key.slice(0, 20))}`);
      assert.deepEqual(
        await found(store, ODD_KEYS),
        ODD_KEYS.map((_, other) => (other > i ? [other] : undefined)),
      );
    }
  },

  'answers who asks while it is written to, the old or the new': async ({ store }) => {
    await store.set('a', bytes(0, 0, 0, 0), LONG);
    const writes = Array.from({ length: 20 }, (_, i) => store.set('a', bytes(i, i, i, i), LONG));
    const answers = await Promise.all(Array.from({ length: 20 }, () => found(store, ['a'])));
    await Promise.all(writes);
    for (const [answer] of answers) {
      assert.ok(answer?.length === 4 && new Set(answer).size === 1, `a mixture: ${JSON.stringify(answer)}`);
    }
  },

  'reclaims a key and everything below it': async ({ store }) => {
    await reclaims(store, [key('user:1')], ['user:1', 'user:1:posts', 'user:1:posts:7']);
  },

  'reclaims everything below a key that has no entry': async ({ store }) => {
    await reclaims(store, [key('user')], ['user:1', 'user:1:posts', 'user:1:posts:7', 'user:12']);
  },

  'reclaims both readings of a key that has two': async ({ store }) => {
    await reclaims(store, [key('fr:user', 1)], ['fr:user:1', 'fr\\:user:1']);
  },

  'reclaims the entries of a tag': async ({ store }) => {
    await reclaims(store, [tag('blue')], ['user:1:posts', 'team:1', 'user:12']);
  },

  'reclaims what matches a pattern, as people read keys': async ({ store }) => {
    await reclaims(store, [pattern('fr:*:1')], ['fr:user:1', 'fr\\:user:1']);
  },

  'reclaims everything': async ({ store }) => {
    await reclaims(store, [everything()], Object.keys(LABELLED));
  },

  'reclaims what several targets cover, and counts it once': async ({ store }) => {
    const targets = [key('user:1'), tag('blue'), tag('red'), tag('nobody'), pattern('team:*'), key('x'), key('y')];
    const gone = ['user:1', 'user:1:posts', 'user:1:posts:7', 'user:12', 'team:1', 'fr\\:user:1'];
    await reclaims(store, targets, gone);
    if (store.reclaim !== undefined) assert.equal(await store.reclaim([]), 0);
  },

  'reclaims what was set without labels by its key': async ({ store }) => {
    if (store.reclaim === undefined) return;
    for (const name of ['a', 'a:b', 'c']) await store.set(name, bytes(1), LONG);
    assert.equal(await store.reclaim([key('a')]), 2);
    assert.deepEqual(await found(store, ['a', 'a:b', 'c']), [undefined, undefined, [1]]);
  },

  'reclaims what was set again, and counts only what is there': async ({ store, elapse }) => {
    if (store.reclaim === undefined) return;
    const labels = (name: string) => entryLabels(name, ['blue']);
    for (const name of ['again', 'removed', 'twice']) await store.set(name, bytes(1), LONG, labels(name));
    await store.set('expired', bytes(1), SHORT, labels('expired'));
    await store.set('twice', bytes(2), LONG, labels('twice'));
    await store.remove(['removed', 'again']);
    await store.set('again', bytes(2), LONG, labels('again'));
    await elapse(SHORT + LATE);
    assert.equal(await store.reclaim([tag('blue')]), 2);
    assert.equal(await store.reclaim([tag('blue')]), 0);
    await store.set('again', bytes(3), LONG, labels('again'));
    assert.equal(await store.reclaim([everything()]), 1);
  },

  'reclaims odd keys': async ({ store }) => {
    if (store.reclaim === undefined) return;
    for (const [i, name] of ODD_KEYS.entries()) await store.set(name, bytes(i), LONG, entryLabels(name, ['odd']));
    assert.equal(await store.reclaim([tag('odd')]), ODD_KEYS.length);
  },

  'can be closed': async ({ store }) => {
    await store.set('a', bytes(1), LONG);
    await store.close();
  },
};

function bytes(...numbers: number[]): Uint8Array {
  return Uint8Array.from(numbers);
}

async function found(store: Store, keys: readonly string[]): Promise<(number[] | undefined)[]> {
  return (await store.getMany(keys)).map((it) => it && [...it]);
}

/** Entries with their tags. */
const LABELLED: Readonly<Record<string, readonly string[]>> = {
  'user:1': ['red'],
  'user:1:posts': ['blue', 'red'],
  'user:1:posts:7': [],
  'user:12': ['blue'],
  'team:1': ['blue'],
  blue: [],
  'fr:user:1': [],
  'fr\\:user:1': ['red'],
};

/** That targets free those entries, and no others. */
async function reclaims(store: Store, targets: readonly Target[], gone: readonly string[]): Promise<void> {
  if (store.reclaim === undefined) return;
  const names = Object.keys(LABELLED);
  for (const name of names) await store.set(name, bytes(1), LONG, entryLabels(name, LABELLED[name] ?? []));
  assert.equal(await store.reclaim(targets), gone.length);
  assert.deepEqual(
    await found(store, names),
    names.map((name) => (gone.includes(name) ? undefined : [1])),
  );
}
