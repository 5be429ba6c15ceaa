import { describe, expect, it } from 'vitest';
import { keyLabel, tagLabel } from '../coherence/label.ts';
import { coverageOf, type Draft, type LogRecord } from '../coherence/record.ts';
import { describeTarget, everything, key, pattern, type Target, tag } from '../coherence/target.ts';
import { messageOf } from './message.ts';

const EPOCH = '0123456789abcdef';

/** The record of a cache or publisher that invalidates targets. */
function recordOf(targets: readonly Target[], other: Partial<LogRecord> = {}): LogRecord {
  return {
    ...coverageOf(targets),
    id: 'a'.repeat(32),
    origin: 'users#00000001',
    time: 5,
    targets: targets.map(describeTarget),
    number: 35,
    prev: 34,
    ...other,
  };
}

function coveredBy(record: LogRecord): { targets: string[]; exact: boolean } | undefined {
  const message = messageOf(record, EPOCH, undefined);
  return message && { targets: message.targets.map(describeTarget), exact: message.exact };
}

const ALL = { targets: ['everything'], exact: false };

describe('messageOf', () => {
  it('tells what is in the record', () => {
    const cause = {
      ...{ event: 'user.renamed', entityType: 'user', entityId: '42', action: 'updated', trace: '00-1-2-01' },
      fields: { org: '7' },
    };
    expect(messageOf(recordOf([key('user', 42)], { cause }), EPOCH, undefined)).toEqual({
      id: 'a'.repeat(32),
      position: `1.${EPOCH}.z`,
      origin: 'users#00000001',
      source: 'users',
      time: 5,
      targets: [key('user', 42)],
      exact: true,
      entity: 'user',
      entityId: '42',
      action: 'updated',
      event: 'user.renamed',
      trace: '00-1-2-01',
      fields: { org: '7' },
    });
  });

  it('names only the entities that are known', () => {
    const record = recordOf([key('user', 42)], { cause: { entityType: 'user', entityId: '42' } });
    expect(messageOf(record, EPOCH, new Set(['user']))).toMatchObject({ entity: 'user', entityId: '42' });
    expect(messageOf(record, EPOCH, new Set(['post']))).toMatchObject({ entity: undefined, entityId: undefined });
  });

  it('keeps every kind of target, and all of a record that several calls share', () => {
    expect(coveredBy(recordOf([key('a:b'), key(['x', 'y:z']), tag('org: 7'), pattern('q:*')]))).toEqual({
      targets: ['key a:b', 'key x:y\\:z', 'tag org: 7', 'pattern q:*'],
      exact: true,
    });
    expect(coveredBy(recordOf([everything()]))).toEqual({ targets: ['everything'], exact: true });
  });

  it('finds the second reading of a key whose first argument has colons', () => {
    expect(coveredBy(recordOf([key('fr:budgets', 'ORG1', 'p:1')]))).toEqual({
      targets: ['key fr:budgets:ORG1:p\\:1', 'key fr\\:budgets:ORG1:p\\:1'],
      exact: true,
    });
  });

  it.each<[string, Partial<Draft>]>([
    ['has no texts', { targets: undefined }],
    ['lacks the text of a key', { targets: ['tag b'] }],
    ['lacks the text of a tag', { targets: ['key a'] }],
    ['has a text of a kind that is not known', { targets: ['key a', 'range b'] }],
    ['has a text that no target can have', { targets: ['key a', 'tag '] }],
    ['lacks the text of a pattern', { targets: ['key a', 'tag b'], patterns: ['c:*'] }],
    ['covers more labels than its texts', { labels: [keyLabel('a'), tagLabel('b'), keyLabel('c')] }],
  ])('takes a record for everything that %s', (_what, other) => {
    expect(coveredBy(recordOf([key('a'), tag('b')], other))).toEqual(ALL);
  });

  it('takes a record that could not be read for everything', () => {
    const record = recordOf([], { kind: 'everything', id: '0'.repeat(32), origin: '' });
    expect(coveredBy(record)).toEqual(ALL);
  });

  it('tells of a strict write when it is done, not when it is announced', () => {
    expect(coveredBy(recordOf([key('a')], { kind: 'announce' }))).toBeUndefined();
    expect(coveredBy(recordOf([key('a')], { kind: 'close' }))).toEqual({ targets: ['key a'], exact: true });
  });

  it('leaves out floors that the log raises by itself, and takes others for everything', () => {
    expect(coveredBy(recordOf([], { kind: 'floor', floor: 3, origin: 'log' }))).toBeUndefined();
    expect(coveredBy(recordOf([], { kind: 'floor', floor: 3 }))).toEqual({ targets: ['everything'], exact: true });
  });
});
