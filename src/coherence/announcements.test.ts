import { beforeEach, describe, expect, it } from 'vitest';
import { Announcements } from './announcements.ts';
import { entryLabels, keyLabel, tagLabel } from './label.ts';

let open: Announcements;

beforeEach(() => {
  open = new Announcements();
  open.open({ id: 'one', number: 5, labels: [keyLabel('user:42'), tagLabel('org:7')], patterns: ['report:*'] });
});

describe('Announcements', () => {
  it('cover by label: the key, a key above, a tag', () => {
    expect(open.cover(entryLabels('user:42', []), 'user:42')).toBe(true);
    expect(open.cover(entryLabels('user:42:posts', []), 'user:42:posts')).toBe(true);
    expect(open.cover(entryLabels('post:1', ['org:7']), 'post:1')).toBe(true);
    expect(open.cover(entryLabels('user:4', ['org:8']), 'user:4')).toBe(false);
    expect(open.cover(entryLabels('user', []), 'user')).toBe(false);
  });

  it('cover by pattern', () => {
    expect(open.cover(entryLabels('report:2025', []), 'report:2025')).toBe(true);
    expect(open.cover(entryLabels('reports:2025', []), 'reports:2025')).toBe(false);
  });

  it('cover until they are closed, whatever their position', () => {
    open.open({ id: 'two', number: 6, labels: [keyLabel('user:42')], patterns: [] });
    open.close('one');
    expect(open.cover(entryLabels('user:42', []), 'user:42')).toBe(true);
    expect(open.cover(entryLabels('report:1', []), 'report:1')).toBe(false);
    open.close('two');
    open.close('never opened');
    expect(open.cover(entryLabels('user:42', []), 'user:42')).toBe(false);
    expect(open.size).toBe(0);
  });

  it('opened twice are closed once', () => {
    open.open({ id: 'one', number: 5, labels: [keyLabel('user:42')], patterns: [] });
    expect(open.list()).toHaveLength(1);
    open.close('one');
    expect(open.size).toBe(0);
  });

  it('are forgotten together', () => {
    open.clear();
    expect(open.list()).toEqual([]);
  });
});
