import { statusCode, statusColour } from '../health-status.ts';
import { paint } from '../paint.ts';
import { plain } from '../plain.ts';

/** Something that is not as it should be. */
export interface Finding {
  /** What programs tell findings apart by. */
  readonly code: string;
  readonly status: 'degraded' | 'critical';
  readonly what: string;
  /** What was seen, with its numbers. */
  readonly evidence: string;
  /** What to do, naming the action. */
  readonly cure: string;
}

/** The worst first; of several that say the same, one. */
export function sorted(findings: readonly Finding[]): readonly Finding[] {
  const distinct = new Map(findings.map((it) => [`${it.code} ${it.evidence}`, it]));
  return [...distinct.values()].sort((a, b) => statusCode(b.status) - statusCode(a.status));
}

export function findingText({ status, what, evidence, cure }: Finding): string {
  return `${paint(statusColour(status), status)}  ${plain(what)}\n  seen: ${plain(evidence)}\n  cure: ${plain(cure)}`;
}
