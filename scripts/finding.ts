/** One failed expectation of a check: where, which rule, what is wrong, and what to do about it. */
export interface Finding {
  readonly file: string;
  /** Counted from 1; left out where the whole file is meant. */
  readonly line?: number;
  readonly rule: string;
  readonly problem: string;
  readonly cure: string;
}

/** A finding as one line of text, with the place first so that editors and terminals can link it. */
export function describeFinding(finding: Finding): string {
  const place = finding.line === undefined ? finding.file : `${finding.file}:${finding.line}`;
  return `${place} [${finding.rule}] ${finding.problem.replace(/\.$/, '')}. Cure: ${finding.cure}.`;
}

/** Prints each finding as one line and sets the exit code: 1 if there is any. */
export function report(check: string, checked: string, findings: readonly Finding[]): void {
  for (const finding of findings) console.error(describeFinding(finding));
  if (findings.length > 0) process.exitCode = 1;
  console.log(findings.length === 0 ? `${check}: ${checked}, all in order` : `${check}: ${findings.length} found`);
}
