import { expect, it } from 'vitest';
import { appendsOf } from './appends.ts';
import type { Sent } from './fleet.ts';
import { Truth } from './truth.ts';

/** A row that is changed at 100 and at 250 ms of a run, and a record of the first change that its server made at 120. */
function story() {
  let now = 0;
  const truth = new Truth(
    1,
    () => now,
    () => {},
  );
  for (const at of [100, 250]) {
    now = at;
    truth.commit([0]);
  }
  const began = 1_700_000_000_000;
  const sent: Sent = { type: 'sent', at: 300, number: (began + 120) * 1_000, epoch: 'e', cells: [0] };
  return { sent: [sent], versionsAt: truth.replay(), began };
}

it('an append that its replicas confirm late counts from then on, and shows what there was when it was made', () => {
  const { sent, versionsAt, began } = story();
  expect(appendsOf(sent, versionsAt, began, true)).toMatchObject([{ at: 300, versions: [1] }]);
});

it('an append that nobody had to confirm counts from its making', () => {
  const { sent, versionsAt, began } = story();
  expect(appendsOf(sent, versionsAt, began, false)).toMatchObject([{ at: 120, versions: [1] }]);
});

it('is not made later than it was heard of, however far the clock of its server is ahead', () => {
  const { sent, versionsAt, began } = story();
  const ahead = sent.map((it) => ({ ...it, number: it.number + 1_000_000 }));
  expect(appendsOf(ahead, versionsAt, began, false)).toMatchObject([{ at: 300, versions: [2] }]);
});
