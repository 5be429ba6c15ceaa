import { expect, it } from 'vitest';
import { type Access, accessRule } from './access.ts';

const READER = 'reader-token-0123456789';
const OPERATOR = 'operator-token-0123456789';

function asked(authorization?: string): Request {
  return new Request('http://localhost/', authorization === undefined ? {} : { headers: { authorization } });
}

const ask = (access: Access, authorization?: string) => accessRule(access)(asked(authorization), {});

it('knows tokens by their role and name', async () => {
  const access = { tokens: { reader: [READER, `${READER}2`], operator: { deploys: OPERATOR } } };
  expect(await ask(access, `Bearer ${READER}`)).toEqual({ role: 'reader', name: 'reader#0' });
  expect(await ask(access, `bearer  ${READER}2`)).toEqual({ role: 'reader', name: 'reader#1' });
  expect(await ask(access, `Bearer ${OPERATOR}`)).toEqual({ role: 'operator', name: 'deploys' });
  expect(await ask({ tokens: { reader: READER } }, `Bearer ${READER}`)).toEqual({ role: 'reader', name: 'reader' });
});

it.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  READER,
  `Basic ${READER}`,
  `Bearer ${READER}x`,
  `Bearer ${READER.slice(0, -1)}`,
  `Bearer ${READER.toUpperCase()}`,
  `Bearer ${READER} ${READER}`,
  `Bearer ${'x'.repeat(8_000)}`,
])('knows nobody by %j', async (authorization) => {
  expect(await ask({ tokens: { reader: READER, operator: OPERATOR } }, authorization)).toBe(undefined);
});

it('asks a function, and admits for a role alone', async () => {
  function single(): 'reader' {
    return 'reader';
  }
  expect(await ask(single)).toEqual({ role: 'reader', name: 'single' });
  expect(await ask(async () => ({ role: 'operator', name: 'ada' }) as const)).toEqual({
    role: 'operator',
    name: 'ada',
  });
  for (const none of [undefined, null, true, 'admin', '', { role: 'root', name: 'x' }, {}])
    expect(await ask(() => none as never)).toBe(undefined);
});

it.each([
  [undefined, /access: undefined is no rule.*give \{ tokens/],
  [{}, /is no rule/],
  [{ token: READER }, /is no rule/],
  ['secret', /is no rule/],
  [{ tokens: {} }, /there is none/],
  [{ tokens: { reader: [] } }, /there is none/],
  [{ tokens: { admin: READER } }, /no option "admin"/],
  [{ tokens: { reader: 'short' } }, /16 characters or more/],
  [{ tokens: { reader: '' } }, /16 characters or more/],
  [{ tokens: { operator: { ci: undefined } } }, /16 characters or more/],
  [{ tokens: { reader: `${READER} ` } }, /16 characters or more/],
  [{ tokens: { reader: READER, operator: READER } }, /two are the same/],
])('refuses %j, and shows no token', (access, message) => {
  const refused = (): unknown => accessRule(access as never);
  expect(refused).toThrow(message);
  expect(refused).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  expect(refused).not.toThrow(READER);
});
