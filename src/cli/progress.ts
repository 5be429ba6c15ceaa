import { SingleBar } from 'cli-progress';

/** How far long work is, on stderr: a bar on a terminal, else a line now and then. */
export interface Progress {
  /** @param done of the total */
  at(done: number): void;
  end(): void;
}

/** @param what is counted, such as `entries`; @param total how many */
export function progress(what: string, total: number): Progress {
  return process.stderr.isTTY ? bar(what, total) : lines(what, total);
}

function bar(what: string, total: number): Progress {
  const made = new SingleBar({
    format: `{bar} {percentage}%  {value} of {total} ${what}, {eta_formatted} left`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  made.start(total, 0);
  return { at: (done) => made.update(done), end: () => made.stop() };
}

/** One line for each tenth, none for what is done at once. */
function lines(what: string, total: number): Progress {
  let told = 0;
  return {
    at: (done) => {
      const tenths = Math.floor((done / Math.max(total, 1)) * 10);
      if (tenths <= told || done === total) return;
      told = tenths;
      process.stderr.write(`${done} of ${total} ${what}\n`);
    },
    end: () => {},
  };
}
