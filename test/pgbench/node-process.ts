import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { sharedClock } from '../torture/shared-clock.ts';
import type { Assignment, Order, Report } from './message.ts';
import { type Look, Reader } from './reader.ts';
import { rows } from './row.ts';

/** Texts about what is wrong that are worth telling. */
const SOME = 5;

/** How much longer a node is waited for that is not attached, in ms. */
const DETACHED = 30_000;

/** Rows that are looked at without giving way. */
const LOOK = 5_000;

/** What was served is told so much at a time. */
const PART = 20_000;

interface Node {
  readonly reader: Reader;
  /** The shared clock. */
  readonly now: () => number;
}

let node: Node | undefined;

process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  take(order).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function take(order: Order): Promise<void> {
  if (order.type === 'begin') return begin(order.assignment);
  if (node === undefined) throw new Error(`${order.type} came before the beginning.`);
  const { reader } = node;
  switch (order.type) {
    case 'warm':
      await reader.readMany(order.rows);
      return report({ type: 'warmed' });
    case 'read':
      return reader.start();
    case 'rest':
      await reader.stop();
      return report({ type: 'rested' });
    case 'compare':
      return compare(node, order.balances, order.patience);
    case 'audit':
      return audit(node, order.balances);
    case 'tell':
      return tell(node);
    default:
      order satisfies never;
  }
}

async function begin(assignment: Assignment): Promise<void> {
  const pool = new pg.Pool({ connectionString: assignment.database, max: 4 });
  const now = sharedClock(BigInt(assignment.origin));
  node = { reader: new Reader(assignment, pool, now), now };
  await node.reader.cache.ready({ timeout: '1m' });
  report({ type: 'ready' });
}

/**
 * Looks at one part after the other, again and again until no difference is found, or it is late. Nobody writes any more, so that
 * what was found right stays right; and between two looks the node hears of its log.
 */
async function compare(node: Node, balances: readonly number[], patience: number): Promise<void> {
  const until = node.now() + patience;
  const wrong: string[] = [];
  let cached = 0;
  for (let first = 0; first < balances.length; first += LOOK) {
    const found = await look(node, balances, first, until);
    cached += found.cached;
    wrong.push(...found.wrong, ...(found.attached ? [] : ['a node was not attached']));
  }
  report({ type: 'compared', at: node.now(), cached, wrong: wrong.slice(0, SOME) });
}

async function look({ reader, now }: Node, balances: readonly number[], first: number, until: number): Promise<Look> {
  for (;;) {
    await pause(5);
    const found = reader.compare(balances, first, Math.min(first + LOOK, balances.length));
    if (found.attached && (found.wrong.length === 0 || now() >= until)) return found;
    if (now() >= until + DETACHED) return found;
  }
}

async function audit({ reader }: Node, balances: readonly number[]): Promise<void> {
  const found = await reader.readMany(balances.length);
  const wrong = balances.flatMap((it, i) =>
    found[i] === it ? [] : [`${rows[i]} is read as ${found[i]}, and is ${it}`],
  );
  report({ type: 'audited', wrong: wrong.slice(0, SOME) });
}

function tell({ reader: { served } }: Node): void {
  do report({ type: 'told', served: served.splice(0, PART), last: served.length === 0 });
  while (served.length > 0);
}

function report(it: Report): void {
  process.send?.(it);
}
