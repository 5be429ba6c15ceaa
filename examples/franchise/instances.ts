import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Service } from './service.ts';
import { Front } from './front.ts';

interface Instance {
  readonly address: string;
  readonly child: ChildProcess;
}

/**
 * Several processes of the service behind one port.
 *
 * @param environment what each is started with, see `settings.ts`
 * @throws Error with what an instance says when it does not start
 */
export async function startInstances(count: number, environment: NodeJS.ProcessEnv): Promise<Service> {
  const starting = Array.from({ length: count }, () => startInstance(environment));
  const started = (await Promise.allSettled(starting)).map((it) => (it.status === 'fulfilled' ? it.value : undefined));
  const instances = started.filter((it) => it !== undefined);
  const stop = async (): Promise<void> => {
    await Promise.all(instances.map(({ child }) => stopInstance(child)));
  };
  if (instances.length < count) {
    await stop();
    throw new Error('An instance did not start. What it said is above.');
  }
  const front = new Front(instances.map(({ address }) => address));
  for (const { address, child } of instances) child.once('exit', () => front.drop(address));
  return {
    listen: (port, host) => front.listen(port, host),
    async close() {
      await front.close();
      await stop();
    },
  };
}

async function startInstance(environment: NodeJS.ProcessEnv): Promise<Instance> {
  const program = fileURLToPath(new URL('./instance-process.ts', import.meta.url));
  // Its stdout would stand between the lines to copy.
  const child = fork(program, { env: environment, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`The instance ended with ${code}.`);
  });
  const told = (await Promise.race([once(child, 'message'), ended])) as [{ address: string }];
  // From here on an end is the front's to notice.
  ended.catch(() => {});
  return { address: told[0].address, child };
}

/** It answers what it was asked, and ends. */
async function stopInstance(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}
