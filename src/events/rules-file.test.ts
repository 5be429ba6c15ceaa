import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { key, pattern, tag } from '../coherence/target.ts';
import { createCache } from '../index.ts';
import { createRules } from './rules.ts';
import { loadRules } from './rules-file.ts';

interface UserUpdated {
  readonly type: 'user.updated';
  readonly userId: string;
  readonly orgId: string;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rules-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const YAML = `
rules:
  user.updated:
    - user:{userId}
    - query_cache:GetUserQuery:*{userId}*
    - when: { orgId: { not: none } }
      targets: ['tag org:{orgId}']
cascades:
  user:{id}: feed:{id}
`;

const JSON_TEXT = `{
  "rules": {
    "user.updated": [
      "user:{userId}",
      "query_cache:GetUserQuery:*{userId}*",
      { "when": { "orgId": { "not": "none" } }, "targets": ["tag org:{orgId}"] }
    ]
  },
  "cascades": { "user:{id}": "feed:{id}" }
}`;

describe('loadRules', () => {
  it.each([
    ['identity.yaml', YAML],
    ['identity.YML', YAML],
    ['identity.json', JSON_TEXT],
    ['identity.json', `\ufeff${JSON_TEXT}`],
  ])('reads %s', async (name, text) => {
    const identity = await loadRules<UserUpdated>(file(name, text), {
      events: { 'user.updated': ['userId', 'orgId'] },
    });
    expect(identity.name).toBe('identity');
    const rules = createRules<UserUpdated>(createCache({ name: 'shop' }), [identity]);
    expect(rules.targets({ type: 'user.updated', userId: 'a:*', orgId: 'ORG1' })).toEqual([
      key(['user', 'a:*']),
      pattern('query_cache:GetUserQuery:*a:\\**'),
      tag('org:ORG1'),
      key(['feed', 'a:*']),
    ]);
  });

  it('reads the file that the documentation shows', async () => {
    const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8');
    const shown = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';
    const shop = await loadRules(file('shown.yaml', shown));
    expect(shop).toMatchObject({
      name: 'identity',
      events: ['user.renamed', 'order.paid', 'user.signedIn'],
      modes: { 'order.paid': 'shadow' },
    });
    const rules = createRules<{ type: string; userId: number }>(createCache({ name: 'shop' }), [shop]);
    expect(rules.targets({ type: 'user.renamed', userId: 7 })).toEqual([
      key('users:7'),
      pattern('query_cache:GetUserQuery:*7*'),
      key('feed:7'),
      tag('digest:7'),
    ]);
  });

  it.each([
    [
      'wrong.yaml',
      'rules:\n  a:\n    - "user:{id"\n    - when: { n: { over: 1 } }\n      targets: [ok]\nmode: {}\n',
      ['line 6, mode: ', 'line 3, rules.a[0]: ', 'line 4, rules.a[1].when.n: '],
    ],
    [
      'wrong.json',
      '{\n  "rules": {\n    "a": [\n      "user:{id",\n      { "when": { "n":\n { "over": 1 } }, "targets": ["ok"] }\n    ]\n  },\n  "mode": {}\n}',
      ['line 9, mode: ', 'line 4, rules.a[0]: ', 'line 5, rules.a[1].when.n: '],
    ],
  ])('names file, line and place of all mistakes in %s', async (name, text, places) => {
    const path = file(name, text);
    const error: unknown = await loadRules(path).catch((thrown: unknown) => thrown);
    const [first, ...lines] = (error as Error).message.split('\n');
    expect(first).toBe(`${path}: 3 mistakes.`);
    expect(lines.map((line, i) => line.startsWith(`  ${places[i]}`))).toEqual([true, true, true]);
  });

  it.each<[string, string, string]>([
    ['twice.json', '{ "rules": { "a": ["x"], "b": [],\n "a": ["y"] } }', 'line 2, rules.a: stands here twice'],
    ['twice.yaml', 'rules:\n  a: [x]\n  a: [y]\n', 'is no YAML: Map keys must be unique at line 3'],
    ['braces.yaml', 'rules:\n  a: [b]\ncascades:\n  a: [b:{c}]\n', 'line 4, cascades.a[0]: a table is no template'],
    ['braces.yaml', 'rules:\n  a:\n    - targets: [b:{c}]\n', 'line 3, rules.a[0].targets[0]: a table is no template'],
    ['broken.json', '{ "rules": ', 'is no JSON: '],
    ['broken.yaml', 'rules: [', 'is no YAML: '],
    ['empty.yaml', '', 'the document: null is no table of names and values'],
    ['empty.json', '{}', 'line 1, the document: has no rules'],
    ['rules.toml', '', 'is no file of rules. Name it .json, .yaml or .yml'],
    ['bomb.yaml', bomb(), 'is no YAML: Excessive alias count'],
  ])('refuses %s', async (name, text, message) => {
    await expect(loadRules(file(name, text))).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
  });

  it('says that a file is not there', async () => {
    await expect(loadRules(join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('none.json cannot be read: ENOENT'),
      cause: { code: 'ENOENT' },
    });
  });

  it('says what to install for YAML, and needs nothing for JSON', async () => {
    vi.doMock('yaml', () => {
      throw new Error('Cannot find package');
    });
    vi.resetModules();
    const fresh = await import('./rules-file.ts');
    await expect(fresh.loadRules(file('a.yaml', YAML))).rejects.toThrow(
      'a.yaml needs the package yaml, which is not installed. Run npm install yaml, or write the rules as JSON.',
    );
    await expect(fresh.loadRules(file('a.json', JSON_TEXT))).resolves.toMatchObject({ name: 'a' });
    vi.doUnmock('yaml');
  });
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, i) => `b${i + 1}: &b${i + 1} [${Array(9).fill(`*b${i}`).join(', ')}]`);
  return `b0: &b0 [x]\n${levels.join('\n')}\nrules: *b9\n`;
}
