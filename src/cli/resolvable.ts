/** What citty allows to be a function or a promise: a command is loaded only where it is asked for. */
export type Resolvable<T> = T | Promise<T> | (() => T | Promise<T>);

export async function resolved<T>(value: Resolvable<T>): Promise<T> {
  return typeof value === 'function' ? await (value as () => T | Promise<T>)() : await value;
}
