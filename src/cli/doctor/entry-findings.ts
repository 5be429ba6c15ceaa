import type { KeyExplanation } from '../../operations/index.ts';
import { dependencies } from '../explanation-text.ts';
import type { Samples } from '../samples.ts';
import type { Finding } from './finding.ts';

/**
 * What somebody takes for stale: covered, so that nobody is served it; or fresh by the rule, so that whoever changed its source has
 * invalidated nothing that it depends on.
 */
export function entryFindings(
  { inspection, entries }: KeyExplanation,
  samples: Samples | undefined,
): readonly Finding[] {
  const { key } = inspection;
  if (entries.length === 0) return [];
  const said = entries.map((it) => it.sentence).join(' ');
  if (!entries.some(({ verdict }) => verdict === 'fresh'))
    return [
      {
        code: 'entry-covered',
        status: 'degraded',
        what: `The entry of ${key} is stale, and is not served`,
        evidence: said,
        cure: 'Nothing has to be done: the next read loads it. Who still sees the old value has it from elsewhere, such as a browser or a cache of its own.',
      },
    ];
  const seen = samples?.violations.find((it) => it.key === key && it.kind === 'violation');
  return [
    {
      code: 'entry-fresh',
      status: seen === undefined ? 'degraded' : 'critical',
      what:
        seen === undefined
          ? `The entry of ${key} may be served: nothing that it depends on was invalidated`
          : `The entry of ${key} is not what its source has, and is served`,
      evidence: `${said} It depends on: ${dependencies(inspection).join(', ')}.`,
      cure: `If its source has another value, the write that changed it has invalidated none of these. Invalidate one of them there (or capture the table), and now: tidemark invalidate --key ${shellWord(key)}`,
    },
  ];
}

/** As it can be pasted into a shell. */
function shellWord(text: string): string {
  return /^[\w:./@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
