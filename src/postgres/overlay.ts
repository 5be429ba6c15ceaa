/**
 * An object with some properties of its own before those of another, which stays as it is: how a data layer's object is given
 * abilities without being changed for others that hold it.
 *
 * @param target what has all other properties; its methods run on it, since they may need its private fields
 */
export function overlay<T extends object, O extends object>(target: T, own: O): O & T {
  return new Proxy(target, {
    get(it, name) {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name) as unknown;
      const value: unknown = Reflect.get(it, name, it);
      if (typeof value !== 'function' || name === 'constructor' || isFixed(it, name)) return value;
      return value.bind(it) as unknown;
    },
    has: (it, name) => Object.hasOwn(own, name) || Reflect.has(it, name),
  }) as O & T;
}

/** A proxy may not give another value than such a property has. */
function isFixed(target: object, name: string | symbol): boolean {
  const property = Reflect.getOwnPropertyDescriptor(target, name);
  return property !== undefined && property.configurable === false && property.writable === false;
}
