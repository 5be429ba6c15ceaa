/** What the id of an entity may be; it travels as text. */
export type EntityId = string | number | bigint;

/** The entities of a domain, each with the type of its id: `{ user: number; post: string }`. */
export type EntityMap<E> = { readonly [K in keyof E]: EntityId };

/** The name of an entity. */
export type EntityName<E> = keyof E & string;

/** The id of an entity as it arrives: the text of what was published. */
export type IdText<Id> = Id extends EntityId ? `${Id}` : string;

/** What a message is about: one of the entities, or nothing that the publisher has named. */
export type Subject<E> =
  | { readonly [K in EntityName<E>]: { readonly entity: K; readonly entityId: IdText<E[K]> } }[EntityName<E>]
  | { readonly entity: undefined; readonly entityId: undefined };
