import { shorten, TidemarkError } from '../coherence/errors.ts';
import { plainKey } from '../coherence/key.ts';
import { describeTarget, type Target } from '../coherence/target.ts';
import type { Implication } from './implication.ts';
import { type Filling, fillTemplate, type Template } from './template.ts';
import { type Piece, splitPath } from './template-text.ts';

/** One target that another one has implied. */
export interface Step {
  readonly because: Target;
  readonly implied: Target;
  /** What was applied: `user:{userId} -> feed:{userId}`. */
  readonly by: string;
}

/** Which segment, or text of a tag, stands for a name of what implies. */
type Captures = ReadonlyMap<string, Filling>;

/** All implications together: no target leads back to itself. */
export class Cascade {
  readonly #implications: readonly Implication[];

  /** @throws TidemarkError `INVALID_OPTION`, naming the circle */
  constructor(implications: readonly Implication[]) {
    refuseCircles(implications);
    this.#implications = implications;
  }

  /** What targets imply, and what that implies in turn; nothing twice, and nothing that is among the targets. */
  steps(targets: readonly Target[]): readonly Step[] {
    const known = new Set(targets.map(targetName));
    const steps: Step[] = [];
    const open = [...targets];
    for (let because = open.shift(); because !== undefined; because = open.shift()) {
      for (const step of this.#stepsFrom(because)) {
        const name = targetName(step.implied);
        if (known.has(name)) continue;
        known.add(name);
        open.push(step.implied);
        steps.push(step);
      }
    }
    return steps;
  }

  #stepsFrom(because: Target): Step[] {
    if (this.#implications.length === 0) return [];
    return this.#implications.flatMap(({ from, to }) =>
      captures(from, because).flatMap((found) =>
        to.map((template) => ({
          because,
          implied: fillTemplate(template, (name) => found.get(name)).target,
          by: `${from.text} -> ${template.text}`,
        })),
      ),
    );
  }
}

/** A target as a text that no other one has. */
export function targetName(it: Target): string {
  return it.kind === 'key' && it.literal !== undefined ? `${describeTarget(it)}\n${it.literal}` : describeTarget(it);
}

/** What the names of `from` stand for in a target; one for each reading of a key, none where it does not imply anything. */
function captures(from: Template, target: Target): Captures[] {
  switch (target.kind) {
    case 'key': {
      const readings = target.literal === undefined ? [target.key] : [target.key, target.literal];
      return from.kind === 'key' ? readings.flatMap((key) => captureSegments(from, splitPath(key)) ?? []) : [];
    }
    case 'pattern':
      // Which of them it matches cannot be told, so it is all of them.
      return from.kind === 'key' && mayMatch(globStart(target.pattern), startOf(from)) ? [new Map()] : [];
    case 'tag':
      return from.kind === 'tag' ? (captureText(from, target.tag) ?? []) : [];
    case 'everything':
      return [];
    default:
      return target satisfies never;
  }
}

/** A key that is above what implies covers all of it: then names are left open. One that is below changes a part of it. */
function captureSegments(from: Template, path: readonly string[]): Captures[] | undefined {
  const found = new Map<string, Filling>();
  for (const [i, pieces] of from.segments.entries()) {
    const segment = path[i];
    if (segment === undefined) break;
    const piece = nameOf(pieces);
    if (piece === undefined) {
      if (segment !== textOf(pieces)) return undefined;
    } else found.set(piece, { segment, text: segment.startsWith('\\#') ? undefined : plainKey(segment) });
  }
  return [found];
}

function captureText(from: Template, text: string): Captures[] | undefined {
  const pieces = from.segments[0] ?? [];
  const at = pieces.findIndex((it) => 'name' in it);
  if (at === -1) return text === textOf(pieces) ? [new Map()] : undefined;
  const [before, after] = [textOf(pieces.slice(0, at)), textOf(pieces.slice(at + 1))];
  const end = text.length - after.length;
  if (!text.startsWith(before) || !text.endsWith(after) || end <= before.length) return undefined;
  const found = text.slice(before.length, end);
  return [
    new Map([[(pieces[at] as { name: string }).name, { segment: found.replace(/[:\\]/g, '\\$&'), text: found }]]),
  ];
}

function nameOf(pieces: readonly Piece[]): string | undefined {
  const [first] = pieces;
  return first !== undefined && 'name' in first ? first.name : undefined;
}

function textOf(pieces: readonly Piece[]): string {
  return pieces.map((it) => ('text' in it ? it.text : '')).join('');
}

// --- circles

/** @throws TidemarkError `INVALID_OPTION`, naming the circle */
export function refuseCircles(implications: readonly Implication[]): void {
  const done = new Set<Implication>();
  for (const it of implications) refuseCircle([it], implications, done);
}

/** Follows implications from the last one on; one that leads to an earlier one closes a circle. */
function refuseCircle(path: readonly Implication[], all: readonly Implication[], done: Set<Implication>): void {
  const last = path.at(-1) as Implication;
  if (done.has(last)) return;
  for (const next of all) {
    if (!last.to.some((it) => mayLead(it, next.from))) continue;
    const at = path.indexOf(next);
    if (at !== -1) throw circle(path.slice(at));
    refuseCircle([...path, next], all, done);
  }
  done.add(last);
}

function circle(path: readonly Implication[]): TidemarkError {
  const names = [...path, path[0] as Implication].map((it) => it.from.text).join(' -> ');
  return new TidemarkError(
    'INVALID_OPTION',
    `cascades: ${shorten(names, 300)} is a circle. Leave out one of these implications, or let the rules name what is stale.`,
  );
}

/** Whether what a template makes may be what another implication begins with. Where it cannot be told, it may. */
function mayLead(to: Template, from: Template): boolean {
  if (to.kind === 'everything') return false;
  if (to.kind === 'pattern') return from.kind === 'key' && mayMatch(globStart(startOf(to)), startOf(from));
  if (to.kind !== from.kind) return false;
  if (to.kind === 'tag') return tagsMayMeet(to.segments[0] ?? [], from.segments[0] ?? []);
  return from.segments.every((pieces, i) => {
    const other = to.segments[i];
    const named = other === undefined || [...pieces, ...other].some((it) => 'name' in it);
    return named || textOf(pieces) === textOf(other);
  });
}

function tagsMayMeet(some: readonly Piece[], others: readonly Piece[]): boolean {
  const names = [...some, ...others].some((it) => 'name' in it);
  return names ? mayMatch(leading(some), leading(others)) : textOf(some) === textOf(others);
}

/** The text that every key or pattern of a template begins with, without escapes. */
function startOf({ kind, segments }: Template): string {
  const [first = [], ...rest] = segments;
  if (kind !== 'key') return leading(first);
  let start = '';
  for (const pieces of [first, ...rest]) {
    start += plainKey(leading(pieces));
    if (nameOf(pieces) !== undefined) break;
    start += ':';
  }
  return start;
}

function leading(pieces: readonly Piece[]): string {
  const at = pieces.findIndex((it) => 'name' in it);
  return textOf(at === -1 ? pieces : pieces.slice(0, at));
}

/** What every text that a glob matches begins with. */
function globStart(glob: string): string {
  return (/^(?:\\.|[^*?\\])*/s.exec(glob)?.[0] ?? '').replace(/\\(.)/gs, '$1');
}

function mayMatch(some: string, others: string): boolean {
  return some.startsWith(others) || others.startsWith(some);
}
