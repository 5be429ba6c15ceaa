import { z } from 'zod';
import type { Verdict } from '../operations/index.ts';
import type { Caller } from './caller.ts';
import { jsonResponse } from './json.ts';

interface Probe {
  readonly ok: boolean;
  readonly reasons?: string[] | undefined;
}

export const probeAnswer: z.ZodType<Probe, Probe> = z.object({
  ok: z.boolean(),
  reasons: z.array(z.string()).optional().describe('only for whoever says who they are'),
});

/** Strangers are told no more than whether. */
export function probed({ ok, reasons }: Verdict, caller: Caller | undefined): Response {
  return jsonResponse({ ok, ...(caller !== undefined && { reasons }) }, ok ? 200 : 503);
}
