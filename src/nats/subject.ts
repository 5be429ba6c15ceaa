import { shorten, TidemarkError } from '../coherence/errors.ts';

/** Whether a subject is among those of a pattern: `*` stands for one token, `>` at the end for one or more. */
export function matches(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.');
  const tokens = subject.split('.');
  const rest = wanted.at(-1) === '>';
  if (rest ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  return wanted.every((it, i) => it === '*' || it === tokens[i] || (rest && i === wanted.length - 1));
}

/** @throws TidemarkError `INVALID_OPTION` for what no server takes as a subject, or what would match nothing */
export function checkSubject(pattern: string, maker: string): void {
  const tokens = pattern.split('.');
  const wrong = tokens.some(
    (it, i) => it === '' || /\s/.test(it) || (it === '>' && i < tokens.length - 1) || /.[*>]|[*>]./.test(it),
  );
  if (!wrong) return;
  throw new TidemarkError(
    'INVALID_OPTION',
    `${maker}: events: ${shorten(pattern)} is no subject. Write tokens with dots between them, * for any one, > at the end for any more.`,
  );
}
