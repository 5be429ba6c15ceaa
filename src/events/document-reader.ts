import { shorten } from '../coherence/errors.ts';
import { describeTarget } from '../coherence/target.ts';
import { refuseCircles } from './cascade.ts';
import { checksOf, type Condition, meets } from './condition.ts';
import { fillingOf } from './field.ts';
import { type Implication, implies } from './implication.ts';
import { isMode, type Mode } from './mode.ts';
import type { ConditionalRule, DomainEvent, RuleMap } from './rule.ts';
import { fillTemplate, parseTemplate, type Template } from './template.ts';

/** A mistake in a document: where, by the names and numbers that lead there, and what. */
export interface Mistake {
  readonly path: readonly (string | number)[];
  readonly problem: string;
}

type Path = readonly (string | number)[];

/** What a document says, as far as it could be read. */
interface Parts {
  readonly name: string | undefined;
  readonly rules: RuleMap<DomainEvent>;
  readonly cascades: readonly Implication[];
  readonly modes: Readonly<Record<string, Mode>>;
}

/** Reads a document of rules, and notes every mistake in it. */
export class DocumentReader {
  readonly mistakes: Mistake[] = [];
  readonly #events: Readonly<Record<string, readonly string[]>> | undefined;

  constructor(events: Readonly<Record<string, readonly string[]>> | undefined) {
    this.#events = events;
  }

  read(document: unknown): Parts {
    const { name, rules, cascades, modes } = this.#table([], document, ['name', 'rules', 'cascades', 'modes']);
    if (name !== undefined && (typeof name !== 'string' || name === ''))
      this.#mistake(['name'], `${shorten(name)} is no name. Write a text, or leave it out`);
    if (document !== null && typeof document === 'object' && (rules === undefined || rules === null))
      this.#mistake([], "has no rules. Write rules: { 'user.updated': ['user:{userId}'] }");
    const entries = Object.entries(this.#table(['rules'], rules ?? {}));
    const known = new Set(entries.map(([type]) => type));
    return {
      name: name as string | undefined,
      rules: Object.fromEntries(entries.map(([type, given]) => [type, this.#rules(type, given)])),
      cascades: this.#cascades(cascades),
      modes: this.#modes(modes, known),
    };
  }

  #rules(type: string, given: unknown): ConditionalRule<DomainEvent>[] {
    const path: Path = ['rules', type];
    if (this.#events !== undefined && !Object.hasOwn(this.#events, type))
      this.#mistake(path, `there is no such event. Known are ${Object.keys(this.#events).join(', ')}`);
    if (!Array.isArray(given)) {
      this.#mistake(
        path,
        `${shown(given)} is no list of rules. Write ['user:{userId}'], or [] for an event that makes nothing stale`,
      );
      return [];
    }
    return given.flatMap((it: unknown, i) => this.#rule(type, [...path, i], it) ?? []);
  }

  #rule(type: string, path: Path, given: unknown): ConditionalRule<DomainEvent> | undefined {
    if (typeof given === 'string') return ruleOf([], this.#template(type, path, given));
    const { when, targets } = this.#table(path, given, ['when', 'targets']);
    const condition = Object.entries(this.#table([...path, 'when'], when ?? {})).flatMap(([field, it]) => {
      this.#field(type, [...path, 'when', field], field);
      return this.#attempt([...path, 'when', field], () => checksOf(field, it)) ?? [];
    });
    if (!Array.isArray(targets) || targets.length === 0) {
      if (typeof given === 'object' && given !== null)
        this.#mistake(
          [...path, 'targets'],
          `${Array.isArray(targets) ? 'an empty list' : shown(targets)} is no list of templates. Write ['user:{userId}']`,
        );
      return undefined;
    }
    return ruleOf(
      condition,
      targets.flatMap((it: unknown, i) => this.#template(type, [...path, 'targets', i], it)),
    );
  }

  #template(type: string, path: Path, given: unknown): Template[] {
    if (!this.#isText(path, given)) return [];
    const template = this.#attempt(path, () => parseTemplate(given));
    for (const name of template?.names ?? []) this.#field(type, path, name);
    return template === undefined ? [] : [template];
  }

  /** In lists in brackets, YAML takes the braces of `feed:{id}` for its own. */
  #isText(path: Path, given: unknown): boolean {
    if (typeof given === 'string') return true;
    this.#mistake(path, `${shown(given)} is no template. Write a text, in YAML in quotes: 'user:{userId}'`);
    return false;
  }

  #field(type: string, path: Path, name: string): void {
    const known = this.#events !== undefined && Object.hasOwn(this.#events, type) ? this.#events[type] : undefined;
    const [head = ''] = name.split('.');
    if (known === undefined || known.includes(head)) return;
    this.#mistake(path, `${type} has no field ${shorten(head)}. Known are ${known.join(', ')}`);
  }

  #cascades(given: unknown): Implication[] {
    const path: Path = ['cascades'];
    const implications = Object.entries(this.#table(path, given ?? {})).flatMap(([from, to]) => {
      const list = typeof to === 'string' ? [to] : (to as readonly string[]);
      if (!Array.isArray(list) || list.length === 0) {
        this.#mistake(
          [...path, from],
          `${Array.isArray(to) ? 'an empty list' : shown(to)} is no list of templates. Write ['feed:{userId}']`,
        );
        return [];
      }
      if (!list.every((it, i) => this.#isText([...path, from, i], it))) return [];
      return this.#attempt([...path, from], () => implies(from, list)) ?? [];
    });
    this.#attempt(path, () => refuseCircles(implications));
    return implications;
  }

  #modes(given: unknown, known: ReadonlySet<string>): Record<string, Mode> {
    const entries = Object.entries(this.#table(['modes'], given ?? {}));
    for (const [type, mode] of entries) {
      if (!isMode(mode)) this.#mistake(['modes', type], `${shorten(mode)} is none of on, shadow, off`);
      if (!known.has(type)) this.#mistake(['modes', type], 'has no rule that could be switched');
    }
    return Object.fromEntries(entries) as Record<string, Mode>;
  }

  /** An object of the document, with no other names than these. */
  #table(path: Path, given: unknown, names?: readonly string[]): Readonly<Record<string, unknown>> {
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      this.#mistake(path, `${shown(given)} is no table of names and values`);
      return {};
    }
    for (const name of Object.keys(given))
      if (names?.includes(name) === false)
        this.#mistake([...path, name], `there is no such name here. Known are ${names.join(', ')}`);
    return given as Readonly<Record<string, unknown>>;
  }

  #attempt<T>(path: Path, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#mistake(path, (error as Error).message);
      return undefined;
    }
  }

  #mistake(path: Path, problem: string): void {
    this.mistakes.push({ path, problem: problem.replace(/^(cascades|implies): |\.$/g, '') });
  }
}

function ruleOf(condition: Condition, templates: readonly Template[]): ConditionalRule<DomainEvent> {
  return {
    ...(condition.length === 0 ? {} : { when: (event, widened) => meets(condition, event, widened) }),
    targets: (event, widened) =>
      templates.map((template) => {
        const { target, missing } = fillTemplate(template, (name) => fillingOf(event, name));
        if (missing.length > 0)
          widened(
            `${template.text} finds nothing fitting for ${missing.join(', ')}, so it is ${describeTarget(target)}`,
          );
        return target;
      }),
  };
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'a table' : shorten(value);
}
