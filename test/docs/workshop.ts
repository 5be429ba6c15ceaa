import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from './program.ts';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** A folder in the checkout, so that programs in it find its packages; remove it by `close`. */
export class Workshop {
  readonly #folder: string;

  constructor() {
    mkdirSync(join(root, '.cache'), { recursive: true });
    this.#folder = mkdtempSync(join(root, '.cache', 'docs-'));
    // What runs a program asks which files its options are for; without it decorators would be those of the language.
    writeFileSync(join(this.#folder, 'tsconfig.run.json'), '{ "extends": "../../tsconfig.json", "include": ["."] }');
  }

  /** What the compiler says of the programs as written, one line for each error, beginning with the page and line. */
  compile(programs: readonly Program[]): string[] {
    for (const { name, source } of programs) writeFileSync(join(this.#folder, `${name}.ts`), source);
    const files = programs.map(({ name }) => `${name}.ts`);
    const config = { extends: '../../tsconfig.json', compilerOptions: { rootDir: '../..' }, files, include: [] };
    writeFileSync(join(this.#folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-p', this.#folder, '--pretty', 'false'], {
      encoding: 'utf8',
      cwd: this.#folder,
    });
    return stdout.trim() === ''
      ? []
      : stdout
          .trim()
          .split('\n')
          .map((line) => this.#inPage(line, programs));
  }

  /**
   * Runs a program in a process of its own against the sources.
   *
   * @param patience milliseconds until a program that does not end is stopped
   * @returns what is wrong, in one text; undefined if it ended by itself and every expectation was reached and held
   */
  async run(program: Program, patience = 30_000): Promise<string | undefined> {
    const file = this.write(program);
    const reachedFile = join(this.#folder, `${program.name}.reached.json`);
    const { status, output } = await runNode(
      ['--import', 'tsx', file],
      { DOCS_REACHED: reachedFile, TSX_TSCONFIG_PATH: join(this.#folder, 'tsconfig.run.json') },
      patience,
    );
    if (status === 'late')
      return `${program.page}: does not end within ${patience} ms: close what it opens.\n${output}`;
    if (status !== 0) return `${program.page}: fails with exit code ${status}.\n${output}`;
    const reached = existsSync(reachedFile) ? (JSON.parse(readFileSync(reachedFile, 'utf8')) as string[]) : [];
    const missed = program.expectations.filter((line) => !reached.includes(`${program.page}:${line}`));
    return missed.length > 0
      ? `${program.page}: never reaches the expectations of line ${missed.join(', ')}.`
      : undefined;
  }

  /** Writes a program with its expectations, and returns the path of the file. */
  write(program: Program): string {
    const file = join(this.#folder, `${program.name}.run.ts`);
    writeFileSync(file, program.checked);
    return file;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #inPage(line: string, programs: readonly Program[]): string {
    const [, name, at] = /^(.*)\.ts\((\d+),\d+\)/.exec(line) ?? [];
    const program = programs.find((each) => each.name === name);
    return program ? `${program.page}:${at}${line.slice(line.indexOf(')') + 1)}` : line;
  }
}

async function runNode(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  patience: number,
): Promise<{ status: number | 'late'; output: string }> {
  // Without the test runner's variables: a program is to behave as it would for a reader.
  const usual = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_ENV|NODE_OPTIONS)/.test(name));
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...Object.fromEntries(usual), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, patience);
  const code = await new Promise<number>((ended, failed) => {
    child.once('error', failed);
    child.once('close', (status) => ended(status ?? 1));
  });
  clearTimeout(timer);
  return { status: late ? 'late' : code, output };
}
