import type { Draft } from '../../src/coherence/record.ts';
import type { LogSender } from '../../src/postgres/sender.ts';
import type { Sender } from '../../src/postgres/source.ts';
import type { OuterGuard } from './server-guards.ts';

/** What a capture hands its records to, without those of its guards that are about them. */
export function unguarded(sender: LogSender, removed: ReadonlySet<OuterGuard>): Sender {
  const isOfGap = ({ kind, origin }: Draft): boolean => kind === 'everything' && origin === 'relay';
  const drops = removed.has('captureGap');
  return {
    draft: (coverage, about) => {
      const draft = sender.draft(coverage, about);
      return removed.has('captureBound') ? { ...draft, lsn: undefined } : draft;
    },
    send: (drafts) => sender.send(drops ? drafts.filter((it) => !isOfGap(it)) : drafts),
    confirmed: (drafts) => {
      if (removed.has('captureConfirmed')) return Promise.resolve();
      return sender.confirmed(drops ? drafts.filter((it) => !isOfGap(it)) : drafts);
    },
    seen: (id) => removed.has('captureSeen') || sender.seen(id),
    prove: (ids) => sender.prove(ids),
    mark: () => sender.mark(),
  };
}
