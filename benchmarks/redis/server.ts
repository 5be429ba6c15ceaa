import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';

/** A Redis of this process's own; it ends with it. */
export interface BenchServer {
  readonly port: number;
  readonly url: string;
  signal(signal: NodeJS.Signals): void;
}

/** @throws Error where there is no `redis-server` on the path, or it does not start */
export async function startServer(): Promise<BenchServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => reject(new Error('redis-server ended')));
    child.stdout.on('data', (data: Buffer) => {
      if (data.includes('Ready to accept')) resolve();
    });
  });
  return { port, url: `redis://127.0.0.1:${port}`, signal: (signal) => void child.kill(signal) };
}
