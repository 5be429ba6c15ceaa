import { shorten, TidemarkError } from '../coherence/errors.ts';

/** A message that its bus tells apart by a name in it, such as a plain object. */
export interface TypedMessage {
  readonly type: string;
}

/** A class of messages, for buses that tell them apart by class, such as that of NestJS. */
export type MessageClass<M extends object = object> = abstract new (...args: never[]) => M;

/** The class that made a message, and those that it extends, nearest first; none of a plain object. */
export function classesOf(message: object): readonly MessageClass[] {
  const found: MessageClass[] = [];
  let prototype: unknown = Object.getPrototypeOf(message);
  while (typeof prototype === 'object' && prototype !== null && prototype !== Object.prototype) {
    const made: unknown = Object.hasOwn(prototype, 'constructor') ? prototype.constructor : undefined;
    if (isClass(made)) found.push(made);
    prototype = Object.getPrototypeOf(prototype);
  }
  return found;
}

/** Whether a value can be a class; an arrow function, say, cannot. */
export function isClass(value: unknown): value is MessageClass {
  return typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null;
}

/** The name in a message, if it has one. */
export function typeOf(message: object): string | undefined {
  return 'type' in message && typeof message.type === 'string' ? message.type : undefined;
}

/** What a message is called in log lines: by its class, else by its `type`. */
export function nameOf(message: object): string {
  return classesOf(message)[0]?.name ?? typeOf(message) ?? 'unknown';
}

/** @throws TidemarkError `INVALID_OPTION` where it is no object */
export function checkMessage(message: unknown): void {
  if (typeof message === 'object' && message !== null) return;
  throw new TidemarkError(
    'INVALID_OPTION',
    `${shorten(message)} is not a message. Give the bus an instance of a class, or an object with a \`type\`.`,
  );
}
