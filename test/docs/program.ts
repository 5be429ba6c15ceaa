import { parseSync, Visitor } from 'oxc-parser';
import type { Block, Page } from './page.ts';

/** A module made of blocks of a page. Its lines are the page's, so that every error names the page's line. */
export interface Program {
  readonly page: string;
  /** File name for the module, without its ending. */
  readonly name: string;
  /** As written: this is what the compiler checks. */
  readonly source: string;
  /** With each `// =>` and `// throws` turned into a call: this is what runs. */
  readonly checked: string;
  /** Lines of the expectations. Each has to be reached. */
  readonly expectations: readonly number[];
}

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Statement extends Span {
  /** The expression whose value the comment speaks of. */
  readonly value: Span;
  readonly awaits: boolean;
}

interface Edit extends Span {
  readonly text: string;
  readonly line: number;
}

/**
 * The programs of a page: its `ts` blocks joined in order, and each `ts alone` block for itself. A `ts fragment` is in
 * none.
 *
 * @throws Error if a block does not parse, or an expectation follows no expression
 */
export function programsOf(page: Page): Program[] {
  const blocks = page.blocks.filter((block) => block.language === 'ts' && !block.words.includes('fragment'));
  const alone = blocks.filter((block) => block.words.includes('alone'));
  const joined = blocks.filter((block) => !block.words.includes('alone'));
  const name = page.path.replace(/\.md$/, '').replaceAll('/', '-');
  return [
    ...(joined.length > 0 ? [makeProgram(page.path, name, joined)] : []),
    ...alone.map((block) => makeProgram(page.path, `${name}-${block.line}`, [block])),
  ];
}

/** Syntax errors of TypeScript code, as text. */
export function syntaxErrors(code: string): string[] {
  return parseSync('block.ts', code).errors.map((error) => error.message);
}

function makeProgram(page: string, name: string, blocks: readonly Block[]): Program {
  const source = joinAtTheirLines(blocks);
  const edits = findEdits(page, source);
  // The first line is free: code begins below a fence.
  const imports = `import { expectThrow as $throws, expectValue as $expect, rest as $rest } from '../../test/docs/expectation.ts';`;
  return { page, name, source, checked: imports + apply(edits, source), expectations: edits.map((edit) => edit.line) };
}

function joinAtTheirLines(blocks: readonly Block[]): string {
  const lines: string[] = [];
  for (const { code, line } of blocks) {
    while (lines.length < line - 1) lines.push('');
    lines.push(...code.split('\n'));
  }
  return `${lines.join('\n')}\nexport {};\n`;
}

function findEdits(page: string, source: string): Edit[] {
  const parsed = parseSync('page.ts', source);
  const lineAt = (offset: number): number => source.slice(0, offset).split('\n').length;
  const [error] = parsed.errors;
  if (error) throw new Error(`${page}:${lineAt(error.labels[0]?.start ?? 0)}: ${error.message}`);
  const statements = findStatements(parsed.program, source);
  return parsed.comments.flatMap((comment, index) => {
    const [, kind, text = ''] = /^\s*(=>|throws\b)\s*(.*)$/.exec(comment.type === 'Line' ? comment.value : '') ?? [];
    if (kind === undefined) return [];
    const place = `${page}:${lineAt(comment.start)}`;
    const statement = statements.find(({ end }) => isBeside(source.slice(end, comment.start)));
    if (!statement) throw new Error(`${place}: this expectation does not follow an expression or a declaration.`);
    const { start, end } = statement.value;
    const value = source.slice(start, end);
    const call =
      kind === '=>'
        ? `$expect('${place}', (${value}), ${expected(text, source, parsed.comments.slice(index))})`
        : `${statement.awaits ? 'await ' : ''}$throws('${place}', ${statement.awaits ? 'async ' : ''}() => (${value}), ${JSON.stringify(text)})`;
    return [{ start, end, text: call, line: lineAt(comment.start) }];
  });
}

/** A comment belongs to what ends on its line or on the line above. */
const isBeside = (between: string): boolean => /^[ \t]*\n?[ \t]*$/.test(between);

function findStatements(program: ReturnType<typeof parseSync>['program'], source: string): Statement[] {
  const statements: Statement[] = [];
  const add = (whole: Span, value: Span): void => {
    statements.push({
      start: whole.start,
      end: whole.end,
      value,
      awaits: /\bawait\b/.test(source.slice(value.start, value.end)),
    });
  };
  new Visitor({
    ExpressionStatement: (node) => {
      const { expression } = node;
      const logged =
        expression.type === 'CallExpression' && expression.arguments.length === 1 ? expression.arguments[0] : undefined;
      const isLog = logged && source.startsWith('console.log(', expression.start);
      add(node, isLog ? logged : expression);
    },
    VariableDeclaration: (node) => {
      const [only, another] = node.declarations;
      if (only?.init && !another) add(node, only.init);
    },
  }).visit(program);
  return statements;
}

/**
 * The expected value as source: an expression, which may go on in the comments below it, in which `...` as the last
 * item of an object or array stands for any others. What is no expression is compared with the text that Node prints.
 */
function expected(first: string, source: string, comments: readonly (Span & { readonly value: string })[]): string {
  let text = first;
  for (let next = 1; ; next += 1) {
    const code = text.replace(/\.\.\.\s*\}/g, '[$rest]: true }').replace(/\.\.\.\s*\]/g, '$rest]');
    if (isOneExpression(code)) return `() => (${code})`;
    const [above, below] = [comments[next - 1], comments[next]];
    if (!above || !below || !/^[ \t]*\n[ \t]*$/.test(source.slice(above.end, below.start)))
      return JSON.stringify(first);
    text += ` ${below.value.trim()}`;
  }
}

function isOneExpression(code: string): boolean {
  const { errors, program } = parseSync('value.ts', `(${code}\n)`, { preserveParens: false });
  const [statement, another] = program.body;
  return (
    errors.length === 0 &&
    !another &&
    statement?.type === 'ExpressionStatement' &&
    statement.expression.type !== 'SequenceExpression'
  );
}

function apply(edits: readonly Edit[], source: string): string {
  const fromTheEnd = edits.toSorted((a, b) => b.start - a.start);
  return fromTheEnd.reduce((text, edit) => text.slice(0, edit.start) + edit.text + text.slice(edit.end), source);
}
