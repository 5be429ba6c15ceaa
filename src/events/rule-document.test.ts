import { describe, expect, it } from 'vitest';
import { key, pattern, tag } from '../coherence/target.ts';
import { createCache } from '../index.ts';
import { type KnownEvents, parseRules } from './rule-document.ts';
import { createRules } from './rules.ts';

type IdentityEvent =
  | { readonly type: 'user.updated'; readonly userId: number; readonly orgId: string; readonly plan?: string }
  | { readonly type: 'user.left'; readonly userId: number }
  | { readonly type: 'user.signedIn'; readonly userId: number };

const events: KnownEvents<IdentityEvent> = {
  'user.updated': ['userId', 'orgId', 'plan'],
  'user.left': ['userId'],
  'user.signedIn': ['userId'],
};

const document = {
  name: 'identity',
  rules: {
    'user.updated': [
      'user:{userId}',
      'query_cache:GetUserQuery:*{userId}*',
      { when: { plan: { in: ['pro', 'team'] } }, targets: ['tag org:{orgId}'] },
    ],
    'user.left': [{ targets: ['user:{userId}', 'members:{userId}'] }],
    'user.signedIn': [],
  },
  cascades: { 'user:{id}': ['feed:{id}'], 'feed:{id}': 'digest:{id}' },
  modes: { 'user.left': 'shadow' },
};

describe('parseRules', () => {
  const rules = createRules<IdentityEvent>(createCache({ name: 'shop' }), [parseRules(document, { events })]);

  it('makes rules of a document', () => {
    const event = { type: 'user.updated', userId: 7, orgId: 'ORG1' } as const;
    expect(rules.targets({ ...event, plan: 'pro' })).toEqual([
      key('user', 7),
      pattern('query_cache:GetUserQuery:*7*'),
      tag('org:ORG1'),
      key('feed:7'),
      key('digest:7'),
    ]);
    expect(rules.targets({ ...event, plan: 'free' })).not.toContainEqual(tag('org:ORG1'));
    expect(rules.targets({ type: 'user.signedIn', userId: 7 })).toEqual([]);
    expect(rules.explain({ type: 'user.left', userId: 7 })).toMatchObject({
      known: true,
      targets: [],
      shadowed: [key('user:7'), key('members:7'), key('feed:7'), key('digest:7')],
    });
  });

  it.each(['ORG1', '*', 'ORG?', 'ORG1:users', '\\', '{userId}', '#', ''])(
    'invalidates for the tenant %j, and for no other',
    async (tenant) => {
      const cache = createCache({ name: 'shop' });
      const users = cache.query({ name: 'users', load: (org: string, id: number) => `${org} ${id}` });
      const tagged = cache.query({ name: 'tagged', load: (org: string) => org, tags: (org) => [`org:${org}`] });
      const tenants = ['ORG1', 'ORG2', 'ORG1:users', '*', 'ORG?', '\\', '{userId}', '#', '', 'ORG1:users:7'];
      for (const it of tenants) await Promise.all([users(it, 7), tagged(it)]);
      const strategy = parseRules({ rules: { changed: ['users:{org}', 'tag org:{org}'] } });
      await createRules(cache, [strategy]).handle({ type: 'changed', org: tenant } as { type: string });
      expect(tenants.filter((it) => users.peek(it, 7) === undefined)).toEqual([tenant]);
      expect(tenants.filter((it) => tagged.peek(it) === undefined)).toEqual([tenant]);
      await cache.close();
    },
  );

  it('names its rules', () => {
    const names = rules.explain({ type: 'user.updated', userId: 7, orgId: 'A' }).rules;
    expect(names.map(({ strategy, rule }) => `${strategy} ${rule}`)).toEqual([
      'identity user.updated[0]',
      'identity user.updated[1]',
      'identity user.updated[2]',
    ]);
    expect(parseRules({ rules: {} }).name).toBe('rules');
    expect(parseRules({ rules: {} }, { name: 'mine' }).name).toBe('mine');
  });

  it('covers more for an event that lacks a field, and says why', () => {
    const lacking = { type: 'user.updated', userId: 7 } as unknown as IdentityEvent;
    const { targets, rules: verdicts } = rules.explain(lacking);
    expect(targets).toContainEqual({ ...key('user:7') });
    expect(targets.map((it) => it.kind)).toContain('everything');
    expect(verdicts.flatMap((it) => it.widened)).toEqual([
      'plan is missing or of another kind, so `in` pro,team counts as met',
      'tag org:{orgId} finds nothing fitting for orgId, so it is everything',
    ]);
  });

  it('finds every mistake at once, and says where each is', () => {
    const wrong = {
      nam: 'identity',
      name: '',
      rules: {
        'user.updated': ['user:{userId', 'user:{id}', 7, { when: { plan: { equals: 1 }, colour: 'red' }, targets: [] }],
        'user.moved': ['user'],
        'user.left': 'user:{userId}',
        'user.signedIn': [
          { if: {}, targets: 'user' },
          { when: [], targets: ['*'] },
        ],
      },
      cascades: { 'a:{x}': ['b:{y}'], 'c:{x}': [], 'd:{x}': 'e:{x}', 'e:{x}': 'd:{x}' },
      modes: { 'user.updated': 'dark', 'user.unknown': 'off' },
    };
    expect(() => parseRules(wrong, { events })).toThrow(
      [
        'The rules: 19 mistakes.',
        'nam: there is no such name here. Known are name, rules, cascades, modes',
        'name: "" is no name. Write a text, or leave it out',
        'rules["user.updated"][0]: The template "user:{userId" opens a brace that is not closed. Write \\{ for the character',
        'rules["user.updated"][1]: user.updated has no field "id". Known are userId, orgId, plan',
        'rules["user.updated"][2]: 7 is no table of names and values',
        'rules["user.updated"][3].when.plan: there is no comparison "equals". Known are is, not, in, notIn, above, below, exists',
        'rules["user.updated"][3].when.colour: user.updated has no field "colour". Known are userId, orgId, plan',
        'rules["user.updated"][3].targets: an empty list is no list of templates. Write [\'user:{userId}\']',
        'rules["user.moved"]: there is no such event. Known are user.updated, user.left, user.signedIn',
        'rules["user.left"]: "user:{userId}" is no list of rules. Write [\'user:{userId}\'], or [] for an event that makes nothing stale',
        'rules["user.signedIn"][0].if: there is no such name here. Known are when, targets',
        'rules["user.signedIn"][0].targets: "user" is no list of templates. Write [\'user:{userId}\']',
        'rules["user.signedIn"][1].when: a list is no table of names and values',
        'rules["user.signedIn"][1].targets[0]: The pattern "*" matches every key. If that is meant, use everything()',
        'cascades["a:{x}"]: "b:{y}" names y, which "a:{x}" does not have. Both have to name it',
        'cascades["c:{x}"]: an empty list is no list of templates. Write [\'feed:{userId}\']',
        'cascades: "d:{x} -> e:{x} -> d:{x}" is a circle. Leave out one of these implications, or let the rules name what is stale',
        'modes["user.updated"]: "dark" is none of on, shadow, off',
        'modes["user.unknown"]: has no rule that could be switched',
      ].join('\n  '),
    );
  });

  it.each<[unknown, string]>([
    [undefined, 'the document: undefined is no table'],
    [null, 'the document: null is no table'],
    ['text', 'the document: "text" is no table'],
    [[], 'the document: a list is no table'],
    [{}, "the document: has no rules. Write rules: { 'user.updated': ['user:{userId}'] }"],
    [{ rules: null }, 'the document: has no rules'],
    [{ rules: [] }, 'rules: a list is no table'],
    [{ rules: { a: ['a'] }, cascades: ['a'] }, 'cascades: a list is no table'],
  ])('%j is no document', (given, message) => {
    expect(() => parseRules(given)).toThrow(message);
  });

  it('refuses options that nobody reads', () => {
    expect(() => parseRules({ rules: {} }, { event: {} } as object)).toThrow(
      'parseRules(): there is no option "event"',
    );
  });

  it('takes names that every object has for names like others', () => {
    const strange = JSON.parse('{ "rules": { "__proto__": ["a:{id}"], "constructor": ["b"] } }') as unknown;
    const them = createRules(createCache({ name: 'x' }), [parseRules(strange)]);
    expect(them.targets({ type: '__proto__', id: 1 } as { type: string })).toEqual([key('a:1')]);
    expect(them.targets({ type: 'constructor' })).toEqual([key('b')]);
    expect(them.targets({ type: 'toString' })).toEqual([]);
  });
});
