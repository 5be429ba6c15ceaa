import { createCache, type Cache, type InvalidationLog, memoryLog } from 'tidemark';

/** Two caches of one fleet in this process: what `writer` has invalidated, `behind` hears only after `release()`. */
export interface HeldBack {
  readonly writer: Cache;
  readonly behind: Cache;
  /** From now on. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

/** While it holds, `behind` goes on serving on its last proof, which lasts longer than any test. */
export async function heldBack(): Promise<HeldBack> {
  const maxLag = '60s';
  const shared = memoryLog();
  let held: Promise<void> | undefined;
  let release = (): void => {};
  const behindBy = (log: InvalidationLog): InvalidationLog => ({
    append: (drafts) => log.append(drafts),
    snapshot: () => log.snapshot(),
    close: () => log.close(),
    read: async (after, options) => {
      const reading = await log.read(after, options);
      if (reading.records.length > 0) await held;
      return reading;
    },
  });
  const writer = createCache({ name: 'shop', log: shared, maxLag });
  const behind = createCache({ name: 'shop', log: (context) => behindBy(shared(context)), maxLag });
  await behind.ready();
  return {
    writer,
    behind,
    hold: () => {
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
    close: async () => {
      release();
      await Promise.all([writer.close(), behind.close()]);
    },
  };
}
