import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { type Finding, report } from './finding.ts';
import { root } from './start.ts';

// Packs the library, installs the tarball in an empty folder, and looks at it as a user would.

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** Names that each entry point exports at run time. */
type Exported = ReadonlyMap<string, readonly string[]>;

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
const entryPoints = Object.keys(manifest.exports).map((subpath) => posix.join(manifest.name, subpath));

/** What others load as it is. */
const shown = ['monitoring/README.md', 'monitoring/tidemark-alerts.yml', 'monitoring/tidemark-dashboard.json'];

/** What runs inside a framework, and is made of its parts. */
const partsOfFrameworks = new Set(['tidemark/nestjs', 'tidemark/opentelemetry']);

const folder = mkdtempSync(join(tmpdir(), 'tidemark-package-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** What `npm run` passes to its children would make another npm act on this checkout rather than on the folder it is in. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

const findings = await checkPackage();
report('package', `${entryPoints.join(', ')} packed, installed and imported`, findings);

async function checkPackage(): Promise<Finding[]> {
  let tarball: string;
  let consumer: string;
  try {
    tarball = pack();
    consumer = install(tarball);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if ('stdout' in error) console.error(String(error.stdout));
    const problem = `cannot be packed and installed: ${error.message.split('\n')[0]}`;
    return [found('package.json', 'install', problem, 'read what npm printed above')];
  }
  const exported = new Map<string, readonly string[]>();
  const imported = (entries: string[]): Finding[] =>
    entries.flatMap((entryPoint) => checkImport(consumer, entryPoint, exported));
  const alone = imported(entryPoints.filter((it) => !partsOfFrameworks.has(it)));
  linkPeers(consumer);
  return [
    ...checkContents(tarball),
    ...alone,
    ...imported(entryPoints.filter((it) => partsOfFrameworks.has(it))),
    ...Object.keys(manifest.bin).flatMap((command) => checkCommand(consumer, command)),
    ...checkTypes(consumer, exported, 'nodenext'),
    ...checkTypes(consumer, exported, 'bundler'),
    ...(await checkManifest(tarball)),
    ...checkResolution(tarball),
  ];
}

function pack(): string {
  execFileSync('npm', ['pack', '--loglevel=error', '--pack-destination', folder], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack wrote no tarball.');
  return join(folder, tarball);
}

function install(tarball: string): string {
  const consumer = join(folder, 'consumer');
  mkdirSync(consumer);
  writeFileSync(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  const quietly = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  execFileSync('npm', ['install', ...quietly, tarball], { cwd: consumer, env, stdio: ['ignore', 'pipe', 'inherit'] });
  return consumer;
}

/** Of the optional peers some declarations speak. Whoever imports those has them; nothing else needs them to run. */
function linkPeers(consumer: string): void {
  const peers = Object.keys(manifest.peerDependencies);
  // Some have their types apart.
  const typed = peers.map((peer) => `@types/${peer}`).filter((name) => existsSync(join(root, 'node_modules', name)));
  for (const name of [...peers, ...typed]) {
    const path = join(consumer, 'node_modules', name);
    if (existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), path, 'dir');
  }
}

function checkContents(tarball: string): Finding[] {
  const paths = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  const packed = new Set(paths.map((path) => path.replace(/^package\//, '')));
  const missing = [...['README.md', 'LICENSE'], ...shown].filter((path) => !packed.has(path));
  const unwanted = [...packed].filter((path) =>
    /\.test(-d)?\.|\.tsbuildinfo$|^(test|scripts|examples|benchmarks)\//.test(path),
  );
  return [
    ...missing.map((file) => found(file, 'contents', 'is not in the tarball', 'write the file at the root')),
    ...unwanted.map((file) => found(file, 'contents', 'is in the tarball', 'exclude it in "files" of package.json')),
  ];
}

/** Imports an entry point in a process of its own, which has to end by itself: importing must start nothing. */
function checkImport(consumer: string, entryPoint: string, exported: Map<string, readonly string[]>): Finding[] {
  const program = `console.log(JSON.stringify(Object.keys(await import('${entryPoint}'))))`;
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: consumer,
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (run.status !== 0) {
    const problem = run.error
      ? `does not let the process end: ${run.error.message}`
      : `cannot be imported: ${errorLine(run.stderr)}`;
    return [found(entryPoint, 'import', problem, 'run `npm run build` and look at "exports" in package.json')];
  }
  try {
    exported.set(entryPoint, JSON.parse(run.stdout) as string[]);
    return [];
  } catch {
    return [found(entryPoint, 'import', `prints on import: ${errorLine(run.stdout)}`, 'do nothing at import')];
  }
}

/** Runs a command as npm has installed it: it must be executable, and find what it needs. */
function checkCommand(consumer: string, command: string): Finding[] {
  const run = spawnSync(join(consumer, 'node_modules/.bin', command), ['--version'], {
    cwd: consumer,
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (run.status === 0 && run.stdout.trim() === manifest.version) return [];
  const problem = `does not tell its version: ${run.error?.message ?? errorLine(run.stderr + run.stdout)}`;
  return [
    found('package.json', 'bin', problem, `run \`npm run build\` and \`node ${manifest.bin[command]} --version\``),
  ];
}

/** A program that names every export of every entry point must compile, library declarations included. */
function checkTypes(consumer: string, exported: Exported, resolution: 'nodenext' | 'bundler'): Finding[] {
  const program = [...exported].map(([entryPoint, names], index) =>
    [
      `import * as all${index} from '${entryPoint}';`,
      `export const names${index} = [${names.map((name) => `all${index}[${JSON.stringify(name)}]`).join(', ')}];`,
    ].join('\n'),
  );
  writeFileSync(join(consumer, `${resolution}.ts`), program.join('\n'));
  const options = {
    module: resolution === 'nodenext' ? 'nodenext' : 'esnext',
    moduleResolution: resolution,
    target: 'es2023',
    lib: ['es2023'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  };
  writeFileSync(
    join(consumer, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: [`${resolution}.ts`] }),
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', consumer, '--pretty', 'false'], {
    cwd: consumer,
    encoding: 'utf8',
  });
  if (run.status === 0) return [];
  const errors = `${run.stdout}${run.stderr}`
    .trim()
    .split('\n')
    .filter((line) => !line.startsWith(' '))
    // What is wrong in the declarations of others is theirs.
    .filter((line) => !/node_modules\/(?!tidemark\/)/.test(line.split('(')[0] ?? ''));
  return errors.map((line) =>
    found('package.json', `types (${resolution})`, line, 'make the declarations stand on their own'),
  );
}

async function checkManifest(tarball: string): Promise<Finding[]> {
  const bytes = readFileSync(tarball);
  const packed = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages } = await publint({ pack: { tarball: packed }, strict: true });
  return messages.map((message) => {
    const text = formatMessage(message, manifest, { color: false }) ?? message.code;
    return found('package.json', 'publint', text, 'see the rule of that name in the documentation of publint');
  });
}

function checkResolution(tarball: string): Finding[] {
  const attw = join(root, 'node_modules/@arethetypeswrong/cli/dist/index.js');
  const options = ['--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji'];
  const run = spawnSync(process.execPath, [attw, tarball, ...options], { encoding: 'utf8' });
  if (run.status === 0) return [];
  console.error(run.stdout, run.stderr);
  return [found('package.json', 'attw', 'has types that some users cannot resolve (above)', 'correct "exports"')];
}

function found(file: string, rule: string, problem: string, cure: string): Finding {
  return { file, rule, problem, cure };
}

/** The line of an output that names the error, rather than where it was thrown. */
function errorLine(output: string): string {
  const lines = output.trim().split('\n');
  return lines.find((line) => /Error/.test(line)) ?? lines[0] ?? '';
}
