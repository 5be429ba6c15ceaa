import type { CircuitBreaker } from '../../src/operations/breaker.ts';
import { createBreaker } from '../../src/operations/breaker.ts';
import type { BreakerEvent } from '../../src/operations/breaker-event.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { BoardClient } from './board-client.ts';
import { QUERY } from './catalogue.ts';
import type { Channel } from './channel.ts';
import type { ValueServer } from './value-server.ts';
import type { World } from './world.ts';

/** Whose loads a breaker stands before, and how it reaches the others'. */
export interface BreakerPlace {
  readonly node: number;
  readonly life: number;
  readonly clock: VirtualClock;
  readonly values: Channel<ValueServer>;
}

/** The breaker around the loads of one life's query, which tells the others of the fleet. It is written down when it opens and closes. */
export function loaderBreaker(world: World, { node, life, clock, values }: BreakerPlace): CircuitBreaker {
  const { random, history, counts } = world;
  const breaker = createBreaker({
    name: QUERY,
    board: new BoardClient(values),
    opens: random.pick([{ inARow: 1 }, { inARow: 2 }, { share: 0.5, of: 4 }]),
    openFor: random.pick([60, 300]),
    // The shorter one is exceeded by loads that succeed.
    timeout: random.pick([200, world.plan.profile.loadTimeout]),
    node: `node ${node}`,
    clock,
  });
  breaker.on((event: BreakerEvent) => {
    counts.add('breaker', event.type === 'opened' ? `opened ${event.here ? 'here' : 'elsewhere'}` : event.type);
    if (event.type === 'opened' || event.type === 'closed')
      history.add({ type: 'breaker', node, life, open: event.type === 'opened' });
  });
  return breaker;
}
