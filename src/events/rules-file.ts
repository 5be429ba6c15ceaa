import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { shorten, TidemarkError } from '../coherence/errors.ts';
import { checkKnown } from '../coherence/known-options.ts';
import { jsonPlaces } from './json-places.ts';
import type { DomainEvent } from './rule.ts';
import type { Mistake } from './document-reader.ts';
import { describePath, mistaken, readDocument, type RuleDocumentOptions } from './rule-document.ts';
import type { Strategy } from './strategy.ts';

/** A file that was read: what it says, and where. */
interface Source {
  readonly document: unknown;
  readonly mistakes: readonly Mistake[];
  /** The line of a path, counted from 1. */
  readonly line: (path: readonly (string | number)[]) => number | undefined;
}

/**
 * Reads a strategy from a file: `.json`, or `.yaml` and `.yml` where the package `yaml` is installed. All mistakes are found at once,
 * before anything is bound.
 *
 * @param file its path
 * @throws TidemarkError `INVALID_OPTION`, with every mistake, its line and how to get there; for a file that cannot be read, with
 * the reason as `cause`
 * @example
 * const identity = await loadRules<DomainEvents>('rules/identity.yaml');
 * const rules = createRules<DomainEvents>(cache, [identity, purchasing]);
 */
export async function loadRules<E extends DomainEvent>(
  file: string,
  options: RuleDocumentOptions<E> = {},
): Promise<Strategy<E>> {
  checkKnown(options, ['events', 'name'], 'loadRules()');
  const read = readers[extname(file).toLowerCase()];
  if (read === undefined)
    throw new TidemarkError('INVALID_OPTION', `${shorten(file)} is no file of rules. Name it .json, .yaml or .yml.`);
  const text = await contentOf(file);
  const { document, mistakes, line } = await read(text.replace(/^\uFEFF/, ''), file);
  const name = options.name ?? basename(file, extname(file));
  const found =
    mistakes.length > 0 ? { strategy: undefined, mistakes } : readDocument<E>(document, { ...options, name });
  if (found.strategy !== undefined) return found.strategy;
  throw mistaken(file, found.mistakes, ({ path }) => {
    const number = line(path);
    return number === undefined ? describePath(path) : `line ${number}, ${describePath(path)}`;
  });
}

const readers: Readonly<Record<string, (text: string, file: string) => Source | Promise<Source>>> = {
  '.json': fromJson,
  '.yaml': fromYaml,
  '.yml': fromYaml,
};

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new TidemarkError('INVALID_OPTION', `${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

function fromJson(text: string, file: string): Source {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new TidemarkError('INVALID_OPTION', `${file} is no JSON: ${(cause as Error).message}.`, { cause });
  }
  const { offsets, repeated } = jsonPlaces(text);
  return {
    document,
    mistakes: repeated.map((path) => ({ path, problem: 'stands here twice, and only one could count. Join them' })),
    line: (path) =>
      lineAt(
        text,
        nearest(path, (it) => offsets.get(JSON.stringify(it))),
      ),
  };
}

async function fromYaml(text: string, file: string): Promise<Source> {
  const { isNode, LineCounter, parseDocument } = await yamlPackage(file);
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines });
  const [problem] = parsed.errors;
  if (problem !== undefined)
    throw new TidemarkError('INVALID_OPTION', `${file} is no YAML: ${problem.message}`, { cause: problem });
  const offset = (path: readonly (string | number)[]): number | undefined => {
    const node: unknown = path.length === 0 ? parsed.contents : parsed.getIn(path, true);
    return isNode(node) ? node.range?.[0] : undefined;
  };
  return { document: plain(parsed, file), mistakes: [], line: (path) => lineAt(text, nearest(path, offset)) };
}

function plain(parsed: { toJS(): unknown }, file: string): unknown {
  try {
    return parsed.toJS();
  } catch (cause) {
    // Aliases of aliases, which a small file can make as large as it likes.
    throw new TidemarkError('INVALID_OPTION', `${file} is no YAML: ${(cause as Error).message}.`, { cause });
  }
}

/** Loaded for YAML only: nobody else has to have it. */
async function yamlPackage(file: string): Promise<typeof import('yaml')> {
  try {
    return await import('yaml');
  } catch (cause) {
    throw new TidemarkError(
      'INVALID_OPTION',
      `${file} needs the package yaml, which is not installed. Run npm install yaml, or write the rules as JSON.`,
      { cause },
    );
  }
}

/** Of what is missing, where it would have to be. */
function nearest(
  path: readonly (string | number)[],
  offset: (path: readonly (string | number)[]) => number | undefined,
): number | undefined {
  for (let length = path.length; length >= 0; length--) {
    const found = offset(path.slice(0, length));
    if (found !== undefined) return found;
  }
  return undefined;
}

function lineAt(text: string, offset: number | undefined): number | undefined {
  return offset === undefined ? undefined : text.slice(0, offset).split('\n').length;
}
