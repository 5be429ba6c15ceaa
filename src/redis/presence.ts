import type { NodePresence, Presence, Roll } from '../coherence/presence.ts';
import type { RedisKeys } from './keys.ts';
import type { Link } from './link.ts';
import { type LogScripts, NOWHERE } from './log-scripts.ts';
import { listOf, numberOf, textOf } from './reply.ts';
import type { RollCall } from './roll-call.ts';

export interface RedisPresenceParts {
  readonly keys: RedisKeys;
  readonly data: Link;
  readonly scripts: LogScripts;
  readonly rollCall: RollCall;
  readonly release: () => void;
}

/**
 * The list of nodes on a Redis server. A node is entered once here, and reports what it has applied with every proof of
 * freshness from then on.
 */
export class RedisPresence implements Presence {
  readonly #parts: RedisPresenceParts;

  constructor(parts: RedisPresenceParts) {
    this.#parts = parts;
  }

  /** Never waits for a server: the first reading enters the node too, and proves nothing then. */
  async register(node: string, tolerance: number): Promise<void> {
    const { data, scripts, rollCall } = this.#parts;
    rollCall.enter(node, tolerance);
    await data.run((connection) => scripts.run('nodes', connection, NOWHERE, rollCall.answer));
  }

  async list(): Promise<Roll> {
    const { data, scripts } = this.#parts;
    const answer = listOf(await data.run((connection) => scripts.run('nodes', connection, NOWHERE, ['', '0'])));
    const [epoch, id, longest, ...entries] = answer;
    const nodes: NodePresence[] = [];
    for (let i = 0; i + 1 < entries.length; i += 2) nodes.push(readNode(textOf(entries[i]), textOf(entries[i + 1])));
    return { id: `${textOf(epoch)}.${textOf(id)}`, longest: numberOf(longest), nodes };
  }

  async remove(node: string): Promise<void> {
    const { data, keys, rollCall } = this.#parts;
    rollCall.leave();
    await data.run((connection) => connection.send(['HDEL', keys.nodes, node]));
  }

  close(): Promise<void> {
    this.#parts.release();
    return Promise.resolve();
  }
}

/** An entry as `report` in `log.lua` writes it: epoch or `-`, number, and what concerns the list alone. */
function readNode(node: string, entry: string): NodePresence {
  const [epoch = '-', number] = entry.split(' ');
  return {
    node,
    applied: { epoch: epoch === '-' ? '' : epoch, number: Number(number) },
  };
}
