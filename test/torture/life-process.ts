import { waitUntil } from '../../src/testing/wait-until.ts';
import { Life } from './life.ts';
import type { Assignment, Order } from './message.ts';
import { Office } from './office.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

/** Facts are handed over so often, in ms: what is not is lost when the process is killed. */
const TELLING = 20;
/** Longest time for everything to settle when all faults are over, in ms. */
const RECOVERY = 20_000;

const office = new Office();
let life: Life | undefined;

process.on('disconnect', () => process.exit(0));
process.on('message', (order: Order) => {
  take(order).catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});

async function take(order: Order): Promise<void> {
  if (order.type === 'begin') return begin(order.assignment);
  if (order.type === 'snapshot' || order.type === 'committed') return office.take(order);
  if (life === undefined) throw new Error(`${order.type} came before the beginning.`);
  switch (order.type) {
    case 'inherit':
      return new Writer(life).inherit(order.writes);
    case 'token':
      return new Reader(life).readAtLeast(order.row, order.write, order.token);
    case 'rest':
      return rest(life);
    case 'audit':
      return audit(life);
    case 'close':
      return close(life);
    default:
      return order satisfies never;
  }
}

async function begin(assignment: Assignment): Promise<void> {
  life = new Life(assignment, office);
  life.history.add({ type: 'started', node: assignment.node, life: assignment.life });
  setInterval(tell, TELLING).unref();
  // Works from its first call: nobody waits for it to be attached.
  for (let i = 0; i < assignment.readers; i++) void new Reader(life).run();
  for (let i = 0; i < assignment.writers; i++) void new Writer(life).run();
  office.report({ type: 'ready' });
}

function tell(): void {
  const facts = life?.history.facts.splice(0) ?? [];
  if (facts.length > 0) office.report({ type: 'facts', facts });
}

/** Readers and writers stop; then everything settles, or does not: the checker is told at the end. */
async function rest(life: Life): Promise<void> {
  life.busy = false;
  const settled = (): boolean => {
    const { attached, queued } = life.cache.status();
    return attached && queued === 0 && life.unsettled === 0;
  };
  await waitUntil(settled, { timeout: RECOVERY }).catch(() => {});
  tell();
  office.report({ type: 'rested' });
}

/** Reads every row twice. */
async function audit(life: Life): Promise<void> {
  const reader = new Reader(life);
  for (let pass = 0; pass < 2; pass++)
    await Promise.all(Array.from({ length: life.assignment.rows }, (_, row) => reader.read('audit', row)));
  tell();
  office.report({ type: 'audited' });
}

async function close(life: Life): Promise<void> {
  const { node } = life.assignment;
  const { attached, queued } = life.cache.status();
  life.history.add({ type: 'status', node, attached, queued, unsettled: life.unsettled });
  const { unsent } = await life.cache.close();
  life.history.add({ type: 'closed', node, unsent });
  tell();
  office.report({ type: 'closed' });
  process.disconnect();
}
