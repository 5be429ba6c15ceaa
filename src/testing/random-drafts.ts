import type { Draft, Lsn } from '../coherence/record.ts';
import { type Drafts, labelOf } from './log-subject.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What a log is to carry: batches of drafts, drawn from a seed. */
export interface DraftShape {
  /** Whether announcements are opened and closed. */
  readonly announcements: boolean;
  /** The newest number appended so far, which a floor or a bound may name. */
  readonly head: number;
  readonly epoch: string;
  /** Ids of the announcements that are open; changed by what is drawn. */
  readonly open: string[];
}

/** One batch of one to four drafts of every kind, over few labels, so that they meet. */
export function randomBatch(random: SeededRandom, drafts: Drafts, shape: DraftShape): Draft[] {
  return Array.from({ length: 1 + random.below(4) }, () => randomDraft(random, drafts, shape));
}

function randomDraft(random: SeededRandom, drafts: Drafts, shape: DraftShape): Draft {
  const { epoch, head, open } = shape;
  const labels = Array.from({ length: random.below(4) }, () => labelOf(random.below(30)));
  const patterns = random.chance(0.3) ? [`p${random.below(20)}:*`] : [];
  const lsn = randomLsn(random);
  const bound = lsn === undefined ? {} : { lsn, ...(random.chance(0.6) ? { lsnAfter: { epoch, number: head } } : {}) };
  switch (random.weighted([20, 1, shape.announcements ? 3 : 0, open.length > 0 ? 3 : 0, 1])) {
    case 0:
      return drafts.make({ labels, patterns, ...bound });
    case 1:
      return drafts.make({ kind: 'everything', ...bound });
    case 2: {
      const announced = drafts.make({ kind: 'announce', labels, patterns });
      open.push(announced.id);
      return announced;
    }
    case 3: {
      const [closes = ''] = open.splice(random.below(open.length), 1);
      return drafts.make({ kind: 'close', closes, labels, patterns, ...bound });
    }
    default:
      return drafts.make({ kind: 'floor', floor: Math.floor(head * random.next()) });
  }
}

function randomLsn(random: SeededRandom): Lsn {
  if (random.chance(0.6)) return undefined;
  return random.chance(0.2) ? 'unknown' : BigInt(random.below(1_000));
}
