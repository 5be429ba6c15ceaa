/**
 * Runs `work` until it ends, or until somebody has seen enough: ctrl-C, or on a terminal the key `q`. A second signal does not wait.
 *
 * @param work ends soon after its signal is aborted
 */
export async function interruptible(work: (ended: AbortSignal) => Promise<void>): Promise<void> {
  const ended = new AbortController();
  const stop = (): void => {
    if (ended.signal.aborted) process.exit(1);
    ended.abort();
  };
  const forget = onQuit(stop);
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    await work(ended.signal);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    forget();
  }
}

const CTRL_C = '\u0003';

/** Single keys are heard without Enter, so ctrl-C comes as one of them. */
function onQuit(stop: () => void): () => void {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return () => {};
  const hear = (data: Buffer): void => {
    const keys = data.toString();
    if (keys.includes('q') || keys.includes(CTRL_C)) stop();
  };
  stdin.setRawMode(true);
  stdin.on('data', hear);
  return () => {
    stdin.off('data', hear);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

/** @returns whether the time has passed, and not the end has come before */
export function pause(ms: number, ended: AbortSignal): Promise<boolean> {
  if (ended.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const over = (passed: boolean): void => {
      clearTimeout(timer);
      ended.removeEventListener('abort', stop);
      resolve(passed);
    };
    const stop = (): void => over(false);
    const timer = setTimeout(() => over(true), ms);
    ended.addEventListener('abort', stop);
  });
}
