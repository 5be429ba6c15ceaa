import { parseSync, Visitor } from 'oxc-parser';

/** One import of a module: `import`, `export ... from`, `import()`, or `import('...')` in a type. */
export interface ModuleImport {
  /** What stands between the quotes; undefined for `import(expression)`. */
  readonly specifier: string | undefined;
  /** Names taken from the other module; `*` stands for all of them at once. */
  readonly names: readonly string[];
  readonly typeOnly: boolean;
  /** True for `export ... from`. */
  readonly reExport: boolean;
  readonly line: number;
}

export interface ParsedModule {
  readonly imports: readonly ModuleImport[];
  readonly errors: readonly string[];
}

type Found = Omit<ModuleImport, 'line'> & { readonly start: number };
type Parsed = ReturnType<typeof parseSync>;

/** Reads every import of a TypeScript source, type imports included. */
export function parseModule(file: string, source: string): ParsedModule {
  const parsed = parseSync(file, source);
  const found = [...staticImports(parsed), ...reExports(parsed), ...nestedImports(parsed)];
  const lineAt = (start: number): number => source.slice(0, start).split('\n').length;
  return {
    imports: found.map(({ start, ...rest }) => ({ ...rest, line: lineAt(start) })),
    errors: parsed.errors.map((error) => error.message),
  };
}

function staticImports(parsed: Parsed): Found[] {
  return parsed.module.staticImports.map(({ start, moduleRequest, entries }) => ({
    start,
    specifier: moduleRequest.value,
    names: entries.map((entry) => entry.importName.name ?? (entry.importName.kind === 'Default' ? 'default' : '*')),
    typeOnly: entries.length > 0 && entries.every((entry) => entry.isType),
    reExport: false,
  }));
}

function reExports(parsed: Parsed): Found[] {
  const entries = parsed.module.staticExports.flatMap((statement) => statement.entries);
  return entries.flatMap(({ start, moduleRequest, importName, isType }) =>
    moduleRequest
      ? [{ start, specifier: moduleRequest.value, names: [importName.name ?? '*'], typeOnly: isType, reExport: true }]
      : [],
  );
}

/** `import()` and `import('...').Name` can stand anywhere, so the tree is walked for them. */
function nestedImports(parsed: Parsed): Found[] {
  const found: Found[] = [];
  const add = (start: number, source: { type: string; value?: unknown }, typeOnly: boolean): void => {
    const specifier = source.type === 'Literal' && typeof source.value === 'string' ? source.value : undefined;
    found.push({ start, specifier, names: ['*'], typeOnly, reExport: false });
  };
  new Visitor({
    ImportExpression: (node) => add(node.start, node.source, false),
    TSImportType: (node) => add(node.start, node.source, true),
  }).visit(parsed.program);
  return found;
}
