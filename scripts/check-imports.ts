import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { type Finding, report } from './finding.ts';
import { type Complaint, complaintsAbout } from './import-complaints.ts';
import { findCircles } from './import-circles.ts';
import { checkedFolders, isInSource, rootDoor, rowOf, sourceFile } from './layout.ts';
import { type ParsedModule, parseModule } from './module-imports.ts';
import { listFiles } from './source-files.ts';
import { isStartedByName, root } from './start.ts';

/** What the checker looks at: sources by their path from the root, `/` between the parts. */
export interface Checkout {
  readonly files: ReadonlyMap<string, string>;
  /** Names that a user can import: `tidemark`, and `tidemark/...` for each subpath. */
  readonly entryPoints: readonly string[];
}

/** Checks every import of every file against the table in `import-rules.ts`, and looks for circles. */
export function checkImports(checkout: Checkout): Finding[] {
  const modules = new Map([...checkout.files].map(([file, source]) => [file, parseModule(file, source)]));
  const context = { modules, entryPoints: checkout.entryPoints, publicNames: namesOfRootDoor(modules) };
  const findings: Finding[] = [];
  for (const [file, { imports, errors }] of modules) {
    const complainAtFile = (complaint: Complaint): number => findings.push({ file, ...complaint });
    for (const error of errors) complainAtFile({ rule: 'syntax', problem: error, cure: 'correct the source' });
    if (isInSource(file) && !rowOf(file)) complainAtFile(unknownFolder(file));
    for (const each of imports) {
      for (const complaint of complaintsAbout(file, each, context))
        findings.push({ file, line: each.line, ...complaint });
    }
  }
  return [...findings, ...circles(modules)];
}

function circles(modules: ReadonlyMap<string, ParsedModule>): Finding[] {
  const graph = new Map(
    [...modules].map(([file, { imports }]) => [
      file,
      imports
        .flatMap(({ specifier }) => (specifier?.startsWith('.') ? [posix.join(posix.dirname(file), specifier)] : []))
        .filter((target) => modules.has(target)),
    ]),
  );
  return findCircles(graph).map((circle) => ({
    file: circle[0] ?? '',
    rule: 'circle',
    problem: `imports itself: ${[...circle, circle[0]].join(' -> ')}`,
    cure: 'move what both need to a file below them (type imports count too)',
  }));
}

function namesOfRootDoor(modules: ReadonlyMap<string, ParsedModule>): Set<string> {
  const exported = (modules.get(rootDoor)?.imports ?? []).filter((each) => each.reExport);
  return new Set(
    exported.flatMap((each) => each.names.map((name) => `${posix.join('src', each.specifier ?? '')}#${name}`)),
  );
}

const unknownFolder = (file: string): Complaint => ({
  rule: 'unknown-folder',
  problem: `${file} is in no folder of the layout`,
  cure: 'move it to one, or add a row to import-rules.ts',
});

function readCheckout(): Checkout {
  const paths = checkedFolders.flatMap((folder) => listFiles(root, folder, sourceFile));
  const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { exports: Record<string, unknown> };
  return {
    files: new Map(paths.map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')])),
    entryPoints: Object.keys(manifest.exports).map((subpath) => posix.join('tidemark', subpath)),
  };
}

if (isStartedByName(import.meta.url)) {
  const checkout = readCheckout();
  report('imports', `${checkout.files.size} files`, checkImports(checkout));
}
