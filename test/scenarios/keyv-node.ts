import { fileURLToPath } from 'node:url';
import { ToldProcess } from './told-process.ts';

export const MAX_LAG = 500;

export type Request =
  | { readonly type: 'start'; readonly url: string }
  /** With a gate the loader says `<gate>:read` when it has read, and waits for `<gate>:open`. */
  | { readonly type: 'wrap'; readonly row: string; readonly gate?: string }
  | { readonly type: 'get'; readonly row: string }
  /** Writes the row, and deletes its key. */
  | { readonly type: 'raise'; readonly row: string }
  | { readonly type: 'stop' };

/** A service with cache-manager over a Keyv, in a process of its own. What it answers is a version; -1 for none. */
export type KeyvNode = ToldProcess<Request, number>;

export async function startKeyvNode(url: string): Promise<KeyvNode> {
  const node: KeyvNode = new ToldProcess(fileURLToPath(new URL('./keyv-process.ts', import.meta.url)));
  await node.ask({ type: 'start', url });
  return node;
}
