import { createHash, timingSafeEqual } from 'node:crypto';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import type { Caller, Peer } from './caller.ts';
import type { Role } from './role.ts';

/** One token, several, or several by the names that the audit calls them by. */
export type Tokens = string | readonly string[] | Readonly<Record<string, string>>;

/** Tokens that are sent as `Authorization: Bearer ...`. */
export interface TokenAccess {
  readonly tokens: { readonly reader?: Tokens; readonly operator?: Tokens };
}

/** Says who asks; `undefined` for somebody who may nothing. */
export type AccessFunction = (
  request: Request,
  peer: Peer,
) => Role | Caller | undefined | Promise<Role | Caller | undefined>;

/** Who may use the API. There is no default: without a rule there is no API. */
export type Access = TokenAccess | AccessFunction;

/** A shorter one could be guessed. */
const LEAST_TOKEN = 16;

/** @returns who asks, for each request. @throws TidemarkError `INVALID_OPTION` */
export function accessRule(access: Access): (request: Request, peer: Peer) => Promise<Caller | undefined> {
  if (typeof access === 'function') return async (request, peer) => callerOf(await access(request, peer), access.name);
  if (typeof access !== 'object' || access === null || !Object.hasOwn(access, 'tokens'))
    throw invalid(
      'access',
      access,
      "no rule. The API is off until it knows who may use it: give { tokens: { reader: '...', operator: '...' } }, or a function",
    );
  checkKnown(access, ['tokens'], 'access');
  const known = knownTokens(access.tokens);
  return (request) => Promise.resolve(bearer(request, known));
}

function callerOf(given: Role | Caller | undefined, rule: string): Caller | undefined {
  // A rule in JavaScript may return anything: only what is exactly a role admits anybody.
  const { role, name } = typeof given === 'object' && given !== null ? given : { role: given, name: rule || 'access' };
  return role === 'reader' || role === 'operator' ? { role, name } : undefined;
}

interface KnownToken extends Caller {
  readonly digest: Buffer;
}

function knownTokens(tokens: TokenAccess['tokens']): readonly KnownToken[] {
  if (typeof tokens !== 'object' || tokens === null)
    throw invalid('access.tokens', tokens, "no list of tokens. Give { reader: '...', operator: '...' }");
  checkKnown(tokens, ['reader', 'operator'], 'access.tokens');
  const known = (['reader', 'operator'] as const).flatMap((role) => named(role, tokens[role]));
  if (known.length === 0)
    throw new TidemarkError('INVALID_OPTION', 'access.tokens: there is none. Give at least one, or no API at all.');
  if (new Set(known.map(({ digest }) => digest.toString('hex'))).size < known.length)
    throw new TidemarkError('INVALID_OPTION', 'access.tokens: two are the same. Give each its own.');
  return known;
}

function named(role: Role, given: Tokens | undefined): KnownToken[] {
  if (given === undefined) return [];
  const list =
    typeof given === 'string'
      ? [[role, given] as const]
      : Object.entries(given).map(([name, token]) => [Array.isArray(given) ? `${role}#${name}` : name, token] as const);
  return list.map(([name, token]) => ({ role, name, digest: digestOf(checkToken(`access.tokens.${role}`, token)) }));
}

/** Never shows the token. */
function checkToken(option: string, token: unknown): string {
  if (typeof token === 'string' && token.length >= LEAST_TOKEN && /^[\w.~+/-]+=*$/.test(token)) return token;
  throw new TidemarkError(
    'INVALID_OPTION',
    `${option}: a token is a text of ${LEAST_TOKEN} characters or more, of letters, digits and -._~+/. Take randomBytes(24).toString('base64url').`,
  );
}

/** How long it takes tells nothing of the tokens: all are compared, and by digests of one length. */
function bearer(request: Request, known: readonly KnownToken[]): Caller | undefined {
  const sent = /^Bearer +([\w.~+/-]+=*)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const digest = digestOf(sent ?? '');
  let found: Caller | undefined;
  for (const { digest: own, role, name } of known) if (timingSafeEqual(digest, own)) found = { role, name };
  return sent === undefined ? undefined : found;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function invalid(option: string, value: unknown, cure: string): TidemarkError {
  return new TidemarkError('INVALID_OPTION', `${option}: ${shorten(value)} is ${cure}.`);
}
