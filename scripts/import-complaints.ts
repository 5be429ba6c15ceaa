import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import type { Finding } from './finding.ts';
import { type ImportRow, outsideRows, type Reach } from './import-rules.ts';
import { isInSource, longestRow, roomOf, rootDoor, rowsFor, sourceFile, testFile } from './layout.ts';
import type { ModuleImport, ParsedModule } from './module-imports.ts';
import { isGenerated } from './source-files.ts';

/** What a verdict on one import depends on besides the import. */
export interface Context {
  readonly modules: ReadonlyMap<string, ParsedModule>;
  readonly entryPoints: readonly string[];
  /** `file#name` for each name that `src/index.ts` takes from another file. */
  readonly publicNames: ReadonlySet<string>;
}

export type Complaint = Pick<Finding, 'rule' | 'problem' | 'cure'>;

/** What is wrong with one import of a file, in words; at most one thing. */
export function complaintsAbout(file: string, each: ModuleImport, context: Context): Complaint[] {
  const { specifier } = each;
  if (specifier === undefined) return isInSource(file) ? [computedImport] : [];
  if (isDoor(file, context) && each.reExport && each.names.includes('*')) return [starInDoor(specifier)];
  const complaint = isBuiltin(specifier)
    ? checkBuiltin(file, specifier)
    : specifier.startsWith('.')
      ? checkRelative(file, specifier, each, context)
      : checkPackage(file, specifier, each, context);
  return complaint ? [complaint] : [];
}

function checkBuiltin(file: string, specifier: string): Complaint | undefined {
  if (!specifier.startsWith('node:')) {
    return { rule: 'node-prefix', problem: `imports ${specifier}`, cure: `write node:${specifier}` };
  }
  const rows = rowsFor(file);
  if (!rows || rows.some((row) => row.builtins === 'all' || row.builtins.includes(specifier))) return undefined;
  return {
    rule: 'builtin',
    problem: `${roomOf(file)} imports ${specifier}, which does I/O, keeps time or is not listed for this folder`,
    cure: 'take what is needed as an argument (a port), or move the code to a folder that may do this',
  };
}

function checkPackage(file: string, specifier: string, each: ModuleImport, context: Context): Complaint | undefined {
  const name = packageName(specifier);
  const rows = rowsFor(file);
  if (!rows) return name === 'tidemark' ? checkEntryPoint(specifier, context) : undefined;
  const listed = rows.some((row) => row.packages?.includes(name));
  const listedForTypes = rows.some((row) => row.packageTypes?.includes(name));
  if (listed || (listedForTypes && each.typeOnly)) return undefined;
  return {
    rule: 'package',
    problem: `${roomOf(file)} imports ${listedForTypes ? 'values of ' : ''}${specifier}`,
    cure: listedForTypes ? 'use `import type`' : 'have it passed in, or list it for this folder in import-rules.ts',
  };
}

function checkEntryPoint(specifier: string, context: Context): Complaint | undefined {
  if (context.entryPoints.includes(specifier)) return undefined;
  return {
    rule: 'entry-point',
    problem: `imports ${specifier}, which no user can`,
    cure: `import one of ${context.entryPoints.join(', ')}`,
  };
}

function checkRelative(file: string, specifier: string, each: ModuleImport, context: Context): Complaint | undefined {
  const target = posix.join(posix.dirname(file), specifier);
  if (testFile.test(target)) {
    return {
      rule: 'test-import',
      problem: `imports the test ${specifier}`,
      cure: 'move what is shared to a file of its own',
    };
  }
  if (
    (isInSource(file) || sourceFile.test(target)) &&
    !context.modules.has(target) &&
    !isAsset(target) &&
    !isGenerated(target)
  ) {
    return {
      rule: 'missing-file',
      problem: `imports ${specifier}, which is no file`,
      cure: 'write the path with its .ts',
    };
  }
  return isInSource(file) ? checkInSource(file, target, each, context) : checkOutside(file, target);
}

function checkInSource(file: string, target: string, each: ModuleImport, context: Context): Complaint | undefined {
  if (!isInSource(target)) {
    // Servers for tests are started by tests beside their sources, too.
    if (testFile.test(file) && target.startsWith('test/servers/')) return undefined;
    return { rule: 'layout', problem: `imports ${target}, which is not shipped`, cure: 'import only from src' };
  }
  if (roomOf(file) === roomOf(target)) return undefined;
  const rows = rowsFor(file) ?? [];
  if (rows.some((row) => mayReach(row, target, each, context))) return undefined;
  const known = rows.some((row) => row.rooms?.[roomOf(target)] !== undefined);
  return {
    rule: 'layout',
    problem: `${roomOf(file)} imports ${target}${known ? ', which is not a part of that folder that it may use' : ''}`,
    cure: 'imports go downward as import-rules.ts says: have it passed in, or move the code down',
  };
}

function checkOutside(file: string, target: string): Complaint | undefined {
  const alone = longestRow(outsideRows, file)?.alone;
  if (alone === undefined) return undefined;
  const home = `${file.split('/').slice(0, alone).join('/')}/`;
  if (target.startsWith(home)) return undefined;
  return {
    rule: 'user-import',
    problem: `imports ${target}, outside ${home}`,
    cure: 'import a package by its name, as a user does',
  };
}

function mayReach(row: ImportRow, target: string, each: ModuleImport, context: Context): boolean {
  const room = roomOf(target);
  if (
    row.publicNames &&
    (target === rootDoor || each.names.every((name) => context.publicNames.has(`${target}#${name}`)))
  ) {
    return each.names.length > 0;
  }
  const reach = row.rooms?.[room] ?? (each.typeOnly && row.roomTypes?.includes(room) ? 'all' : undefined);
  return reach !== undefined && reaches(reach, room, target, context);
}

function reaches(reach: Reach, room: string, target: string, context: Context): boolean {
  const path = target.slice(`src/${room}/`.length);
  if (typeof reach === 'object') return 'only' in reach ? reach.only.includes(path) : !reach.except.includes(path);
  return reach === 'inside' || path === 'index.ts' || !isSubpath(room, context);
}

const isAsset = (target: string): boolean => !sourceFile.test(target) && /\.(json|css|lua|sql)$/.test(target);

const isSubpath = (room: string, context: Context): boolean => context.entryPoints.includes(`tidemark/${room}`);

function isDoor(file: string, context: Context): boolean {
  return file === rootDoor || (file === `src/${roomOf(file)}/index.ts` && isSubpath(roomOf(file), context));
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const computedImport: Complaint = {
  rule: 'computed-import',
  problem: 'imports a module whose name is computed',
  cure: 'write the name as a literal, so that it can be checked and bundled',
};

const starInDoor = (specifier: string): Complaint => ({
  rule: 'door',
  problem: `exports everything of ${specifier}`,
  cure: 'list the public names one by one',
});
