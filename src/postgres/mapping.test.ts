import { describe, expect, it } from 'vitest';
import { key, tag, type Target } from '../coherence/target.ts';
import { captureTables, mappingsOf, TableMapping } from './mapping.ts';
import type { WalChange, WalRelation } from './wal-message.ts';

const relation = (over: Partial<WalRelation> = {}): WalRelation => ({
  schema: 'public',
  name: 'users',
  replicaIdentity: 'full',
  columns: ['id', 'org_id', 'bio'].map((name) => ({ name, typeOid: 23 })),
  keyColumns: ['id', 'org_id', 'bio'],
  ...over,
});
const byKey = relation({ replicaIdentity: 'default', keyColumns: ['id'] });
const texts = (targets: readonly Target[]): string[] => targets.map((it) => (it.kind === 'tag' ? it.tag : it.kind));

const users = new TableMapping('users', {
  columns: ['id', 'org_id'],
  targets: (row: { id: number; org_id: number | null }) => [tag(`user:${row.id}`), tag(`org:${row.org_id}`)],
});
const ids = new TableMapping('users', {
  columns: ['id'],
  targets: (row: { id: number }) => tag(`user:${row.id}`),
});

const update = (about: Partial<WalChange & { tag: 'update' }>): WalChange => ({
  ...{ tag: 'update', relation: relation(), key: null, old: null, new: {} },
  ...about,
});

describe('a change is mapped by', () => {
  it('the new row of an insert and the old one of a delete', () => {
    const row = { id: 1, org_id: 7, bio: '' };
    expect(texts(users.targetsOf({ tag: 'insert', relation: relation(), new: row }))).toEqual(['user:1', 'org:7']);
    expect(texts(users.targetsOf({ tag: 'delete', relation: relation(), key: null, old: row }))).toEqual([
      'user:1',
      'org:7',
    ]);
    expect(texts(ids.targetsOf({ tag: 'delete', relation: byKey, key: { id: 1 }, old: null }))).toEqual(['user:1']);
  });

  it('both rows of an update', () => {
    const change = update({ old: { id: 1, org_id: 7 }, new: { id: 1, org_id: 8 } });
    expect(texts(users.targetsOf(change))).toEqual(['user:1', 'org:7', 'user:1', 'org:8']);
    const moved = update({ relation: byKey, key: { id: 1 }, new: { id: 2, org_id: 8 } });
    expect(texts(ids.targetsOf(moved))).toEqual(['user:1', 'user:2']);
  });

  it('the new row alone where the key has not changed and nothing else is needed', () => {
    expect(texts(ids.targetsOf(update({ relation: byKey, new: { id: 1 } })))).toEqual(['user:1']);
  });

  it('the old value of a large one that has not changed', () => {
    const change = update({ old: { id: 1, org_id: 7 }, new: { id: 1, org_id: undefined } });
    expect(texts(users.targetsOf(change))).toEqual(['user:1', 'org:7', 'user:1', 'org:7']);
    const inKey = update({ relation: byKey, key: { id: 1 }, new: { id: undefined } });
    expect(texts(ids.targetsOf(inKey))).toEqual(['user:1', 'user:1']);
  });

  it('an empty value as it is', () => {
    const change = update({ old: { id: 1, org_id: null }, new: { id: 1, org_id: 8 } });
    expect(texts(users.targetsOf(change))).toEqual(['user:1', 'org:null', 'user:1', 'org:8']);
  });
});

describe('it cannot be mapped', () => {
  it.each([
    [
      'needs more of old rows than the key',
      users,
      update({ relation: byKey, new: { id: 1, org_id: 2 } }),
      'does not have org_id of old rows',
    ],
    [
      'has no identity',
      ids,
      update({ relation: relation({ replicaIdentity: 'nothing' }), new: { id: 1 } }),
      'does not have id of old rows',
    ],
    [
      'lost a column',
      users,
      { tag: 'insert', relation: relation({ columns: [{ name: 'id', typeOid: 23 }] }), new: { id: 1 } },
      'has no column org_id',
    ],
    ['should have had an old row', users, update({ new: { id: 1, org_id: 2 } }), 'has no old row'],
    ['lacks a large value', ids, update({ relation: byKey, new: { id: undefined } }), 'does not have the value of id'],
  ] as const)('where it %s', (_, mapping, change, message) => {
    expect(() => mapping.targetsOf(change)).toThrow(message);
  });

  it('where a partition may have logged less than its parent says', () => {
    const mapping = new TableMapping('users', { columns: ['id', 'org_id'], targets: () => tag('t') });
    mapping.partitioned = true;
    const change = (org_id: number | null): WalChange => ({
      tag: 'delete',
      relation: relation(),
      key: null,
      old: { id: 1, org_id },
    });
    expect(texts(mapping.targetsOf(change(7)))).toEqual(['t']);
    expect(() => mapping.targetsOf(change(null))).toThrow('a partition may not log whole rows');
  });

  it('by a column that is not listed, or to what is no target', () => {
    const insert: WalChange = { tag: 'insert', relation: relation(), new: { id: 1, org_id: 7 } };
    const unlisted = new TableMapping('users', {
      columns: ['id'],
      targets: (row: { org_id: number }) => key('org', row.org_id),
    });
    expect(() => unlisted.targetsOf(insert)).toThrow('The column "org_id" is not listed. Add it to `columns`.');
    const bare = new TableMapping('users', { columns: ['id'], targets: () => 'user:1' as never });
    expect(() => bare.targetsOf(insert)).toThrow('capture.tables[public.users].targets: "user:1" is not a target');
  });
});

it('names tables with their schema', () => {
  const tables = captureTables<{ users: { id: number }; 'sales.orders': { id: number } }>()({
    users: { columns: ['id'], targets: (row) => tag(String(row.id)) },
    'sales.orders': { columns: ['id'], targets: (row) => tag(String(row.id)), truncated: tag('orders') },
  });
  const mappings = mappingsOf(tables);
  expect([...mappings.keys()]).toEqual(['public.users', 'sales.orders']);
  expect([...mappings.values()].map(({ whole }) => texts(whole))).toEqual([['everything'], ['orders']]);
});
