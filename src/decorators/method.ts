/** A method that may be decorated: its callers are used to wait for it. */
export type AsyncMethod = (...args: never[]) => Promise<unknown>;

/** A method as it is called. */
export type Method = (this: object, ...args: unknown[]) => Promise<unknown>;

/** The descriptor of a method whose first parameters are `A`, and which resolves with an `R`. */
export type MethodDescriptor<M extends AsyncMethod, A extends unknown[], R = unknown> = TypedPropertyDescriptor<M> &
  (Parameters<M> extends [...A, ...unknown[]] ? (Awaited<ReturnType<M>> extends R ? unknown : Unfit) : Unfit);

interface Unfit {
  readonly 'the function given to the decorator has other types than the method': never;
}

/** What `reflect-metadata` adds to `Reflect`, which most containers load. */
interface Metadata {
  getOwnMetadataKeys(target: object): readonly unknown[];
  getOwnMetadata(key: unknown, target: object): unknown;
  defineMetadata(key: unknown, value: unknown, target: object): void;
}

/**
 * Puts another function in a method's place.
 *
 * Other decorators describe the function that they find: a route, an event's listener. What stands below ours has described
 * the one that goes, so the description moves to the one that comes.
 */
export function replaceMethod(descriptor: { value?: unknown }, replacement: (original: Method) => Method): void {
  const original = descriptor.value as Method;
  const method = replacement(original);
  Object.defineProperties(method, { name: { value: original.name }, length: { value: original.length } });
  if ('getOwnMetadataKeys' in Reflect) describe(method, original, Reflect as object as Metadata);
  descriptor.value = method;
}

function describe(method: Method, original: Method, metadata: Metadata): void {
  for (const key of metadata.getOwnMetadataKeys(original)) {
    metadata.defineMetadata(key, metadata.getOwnMetadata(key, original), method);
  }
}
