import { formatToken, type Token } from '../coherence/position.ts';
import { NO_MARK } from './call-options.ts';
import type { Engine } from './engine.ts';

/** Where a node is; see `Cache.status`. */
export interface CacheStatus {
  attached: boolean;
  position: Token;
  entries: number;
  bytes: number;
  loading: number;
  queued: number;
  announced: number;
  tableFill: number;
  provenAge: number;
  maxLag: number;
}

/** See `Cache.status`. */
export function statusOf(engine: Engine): CacheStatus {
  const { node, memory, budget } = engine;
  const now = engine.now();
  return {
    attached: node.attachedAt(now),
    position: positionOf(engine),
    entries: memory?.size ?? 0,
    bytes: memory?.bytes ?? 0,
    loading: budget.running,
    queued: node.view.pending.size,
    announced: node.view.announcements.size,
    tableFill: node.view.fill(),
    provenAge: Math.max(0, now - node.follower.provenAt(now)),
    maxLag: node.follower.options.maxLag,
  };
}

/** What the node has applied; nowhere before it has reached its log. */
export function positionOf({ node: { view } }: Engine): Token {
  return view.epoch === '' ? NO_MARK : formatToken({ epoch: view.epoch, number: view.applied });
}
