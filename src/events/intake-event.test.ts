import { expect, it } from 'vitest';
import { type IntakeEvent, logIntake, type Parked } from './intake-event.ts';

const error = new Error('broken');
const parked: Parked<unknown> = { source: 's', id: '1', events: [], error, covered: true, since: 0 };

it.each<[IntakeEvent<unknown>, string, string]>([
  [{ type: 'handled', source: 's', id: '1', events: [] }, 'debug', 'intake_handled'],
  [{ type: 'failed', source: 's', id: '1', attempt: 1, again: true, error }, 'warn', 'and is tried again'],
  [{ type: 'failed', source: 's', id: '1', attempt: 4, again: false, error }, 'warn', 'was not handled'],
  [{ type: 'parked', parked }, 'error', 'everything was covered instead'],
  [{ type: 'parked', parked: { ...parked, covered: false } }, 'error', 'may still be served'],
  [{ type: 'unparked', parked: { ...parked, covered: false } }, 'error', 'the oldest is gone; what it makes stale'],
  [{ type: 'overflowed', count: 3, covered: true }, 'error', 'too many events waited'],
  [{ type: 'gap', source: 's', cause: error, covered: false }, 'error', 'may have lost events; what it makes stale'],
  [{ type: 'ended', source: 's', cause: error }, 'error', 'no events any more'],
  [{ type: 'unmapped', source: 's', name: 'other' }, 'warn', '"other"'],
  [{ type: 'refused', status: 400, detail: 'no id' }, 'info', 'no id'],
  [{ type: 'refused', status: 503, detail: 'later', cause: error }, 'warn', 'later'],
  [{ type: 'closed', unhandled: 2, covered: true }, 'warn', 'events were not handled'],
])('%j is told at the level that it asks for', (event, level, words) => {
  const lines: [string, object, string][] = [];
  const at = (name: string) => (fields: object, text: string) => void lines.push([name, fields, text]);
  logIntake({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, event);
  const prefix = event.type === 'overflowed' ? 'intake_overflow' : `intake_${event.type}`;
  const cause = 'error' in event ? event.error : 'cause' in event ? event.cause : undefined;
  const wrong = cause === undefined ? {} : { err: cause };
  expect(lines).toEqual([
    [level, expect.objectContaining({ event: prefix, ...wrong }), expect.stringContaining(words)],
  ]);
  expect(lines[0]?.[2].startsWith(prefix)).toBe(true);
});
