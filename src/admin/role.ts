/** What somebody may do: a reader looks, and an operator may also change something. */
export type Role = 'reader' | 'operator';

/** What a route asks for; `'anyone'` needs no credentials. */
export type Required = Role | 'anyone';

export function mayDo(role: Role, required: Required): boolean {
  return role === 'operator' || required !== 'operator';
}
