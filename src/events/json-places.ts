/** Where each value of a JSON text begins, and which names stand twice in one object: `JSON.parse` takes the last one, silently. */
export interface JsonPlaces {
  /** Offsets by path, the path as JSON. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly repeated: readonly (readonly (string | number)[])[];
}

/** An object or a list that is open, and where in it we are. */
interface Level {
  readonly names: Set<string> | undefined;
  at: string | number | undefined;
}

/** @param text what `JSON.parse` understands */
export function jsonPlaces(text: string): JsonPlaces {
  const offsets = new Map<string, number>();
  const repeated: (string | number)[][] = [];
  const levels: Level[] = [];
  const path = (): (string | number)[] => levels.flatMap(({ at }) => at ?? []);
  const value = (offset: number): void => {
    if (!offsets.has(JSON.stringify(path()))) offsets.set(JSON.stringify(path()), offset);
  };
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\],]|[^\s{}[\],":]+/g)) {
    const [token, colon] = match;
    const level = levels.at(-1);
    if (token === '{' || token === '[') {
      value(match.index);
      levels.push(token === '{' ? { names: new Set(), at: undefined } : { names: undefined, at: 0 });
    } else if (token === '}' || token === ']') levels.pop();
    else if (token === ',') {
      if (typeof level?.at === 'number') level.at++;
    } else if (colon !== undefined && level?.names !== undefined) {
      level.at = JSON.parse(token.slice(0, -colon.length)) as string;
      if (level.names.has(level.at)) repeated.push(path());
      level.names.add(level.at);
      offsets.set(JSON.stringify(path()), match.index);
    } else value(match.index);
  }
  return { offsets, repeated };
}
