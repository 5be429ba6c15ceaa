import type { Cache, ReadOptions } from 'tidemark';

/** The header that carries a position from service to service, and to the client and back. */
export const POSITION = 'x-tidemark-position';

/** Stands in the header where no position will do: whoever is asked must look into its source. */
const SOURCE = 'source';

/** How to read for a request that came with this header. */
export function readOptions(position: string | undefined): ReadOptions {
  if (position === undefined) return {};
  return position === SOURCE ? { enabled: false } : { atLeast: position };
}

/**
 * What a load sends along when it asks another service, which answers from a cache of its own.
 *
 * Without it, a load would keep an old answer under a new mark:
 * 1. Ada is renamed. This process has applied the record, the process that it will ask has not.
 * 2. A load begins here. Its mark is after the record.
 * 3. The other process answers from its memory: the old name.
 * 4. The old name is kept here, and nothing covers it any more.
 *
 * So the load says where it stands, and is answered with nothing older. A reader who brought a position may be ahead of
 * this process, and positions are opaque: then the load sends for the source, and so it does while the log is out of reach.
 *
 * @param position what the reader brought whose read began this load
 */
export function loadPosition(cache: Cache, position: string | undefined): string {
  return position === undefined && cache.status().attached ? cache.mark() : SOURCE;
}
