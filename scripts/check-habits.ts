import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { type Finding, report } from './finding.ts';
import { checkedFolders, sourceFile, testFile } from './layout.ts';
import { listFiles } from './source-files.ts';
import { isStartedByName, root } from './start.ts';

const drawerNames = /^(types|interfaces|utils?|helpers?|lib|commons?|misc|shared)\.[cm]?tsx?$/;
const drawerFolders = /(^|\/)(types|interfaces|utils?|helpers?|lib|commons?|misc|shared)\//;
const suppression =
  /(?:\/\/|\/\*)\s*(?:(?:ox|es)lint-disable[\w-]*|@ts-(?:ignore|nocheck|expect-error)|biome-ignore)\b(.*)/;

/**
 * House rules that no other tool checks: a file is named for what it holds, and a suppressed check says why.
 *
 * @param files sources by their path from the root
 */
export function checkSources(files: ReadonlyMap<string, string>): Finding[] {
  return [...files].flatMap(([file, source]) => [...checkName(file), ...checkSuppressions(file, source)]);
}

function checkName(file: string): Finding[] {
  const folder = file.startsWith('test/types/') ? '' : `${posix.dirname(file)}/`;
  if (!drawerNames.test(posix.basename(file)) && !drawerFolders.test(folder)) return [];
  const problem = 'is named like a drawer that anything may be put into';
  return [
    { file, rule: 'file-name', problem, cure: 'name it for the one thing it holds, and keep a type beside its owner' },
  ];
}

function checkSuppressions(file: string, source: string): Finding[] {
  return source.split('\n').flatMap((text, index) => {
    const reason = suppression.exec(text)?.[1];
    if (reason === undefined || /(--|:)\s*\S.{9,}/.test(reason)) return [];
    const cure = 'correct the code, or add ` -- ` and the reason to the same line';
    return [{ file, line: index + 1, rule: 'suppression', problem: 'suppresses a check without a reason', cure }];
  });
}

/** Frameworks whose glue is short, because the work is elsewhere, for any of them. */
const glued = ['express', 'fastify', 'nestjs'];
/** Lines of code that the glue of one framework has to stay under, in all its files, without comments and blank lines. */
const GLUE_LIMIT = 60;

/**
 * Glue for a framework stays short.
 *
 * @param files sources by their path from the root
 */
export function checkGlue(files: ReadonlyMap<string, string>): Finding[] {
  return glued.flatMap((framework) => {
    const folder = `src/${framework}/`;
    const glue = [...files].filter(([file]) => file.startsWith(folder) && !testFile.test(file));
    const lines = glue.reduce((sum, [, source]) => sum + linesOfCode(source), 0);
    if (lines < GLUE_LIMIT) return [];
    const cure = 'move what is not of this framework to where others can use it';
    return [{ file: folder, rule: 'glue', problem: `has ${lines} lines of code, ${GLUE_LIMIT} or more`, cure }];
  });
}

function linesOfCode(source: string): number {
  const code = source.replace(/\/\*.*?\*\//gs, '').replace(/^\s*\/\/.*$/gm, '');
  return code.split('\n').filter((line) => line.trim() !== '').length;
}

/** The lockfile must work with any registry, so it names none: only versions and checksums. */
export function checkLockfile(lockfile: string): Finding[] {
  return lockfile.split('\n').flatMap((text, index) => {
    if (!/"resolved": "[a-z+]+:\/\//.test(text)) return [];
    const cure = 'keep omit-lockfile-registry-resolved=true in .npmrc and run npm install again';
    return [
      { file: 'package-lock.json', line: index + 1, rule: 'lockfile', problem: 'names the address of a package', cure },
    ];
  });
}

if (isStartedByName(import.meta.url)) {
  const paths = checkedFolders.flatMap((folder) => listFiles(root, folder, sourceFile));
  const files = new Map(paths.map((path) => [path, readFileSync(`${root}/${path}`, 'utf8')]));
  const lockfile = readFileSync(`${root}/package-lock.json`, 'utf8');
  report('habits', `${files.size} files and the lockfile`, [
    ...checkSources(files),
    ...checkGlue(files),
    ...checkLockfile(lockfile),
  ]);
}
