type Graph = ReadonlyMap<string, readonly string[]>;

/**
 * Finds circles in a graph of imports.
 *
 * @param graph for each file, the files that it imports
 * @returns one circle for each group of files that all lead to each other, as the list of its files: the shortest
 *   through the first of the group in alphabetical order. A file that imports itself is a circle of one
 */
export function findCircles(graph: Graph): string[][] {
  const circles: string[][] = [];
  const reported = new Set<string>();
  const importers = reverse(graph);
  for (const start of [...graph.keys()].sort()) {
    if (reported.has(start)) continue;
    const from = walk(graph, start);
    const circle = from.wayBack;
    if (!circle) continue;
    const to = walk(importers, start);
    for (const file of from.seen) if (to.seen.has(file)) reported.add(file);
    circles.push(circle);
  }
  return circles;
}

/** Breadth first, so that the way back to the start is the shortest. */
function walk(graph: Graph, start: string): { readonly seen: ReadonlySet<string>; readonly wayBack?: string[] } {
  const ways = new Map<string, readonly string[]>([[start, [start]]]);
  let wayBack: string[] | undefined;
  // A map is walked in the order of insertion, what is added meanwhile included.
  for (const [file, way] of ways) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) wayBack ??= [...way];
      else if (!ways.has(next)) ways.set(next, [...way, next]);
    }
  }
  return { seen: new Set(ways.keys()), ...(wayBack ? { wayBack } : {}) };
}

function reverse(graph: Graph): Graph {
  const importers = new Map<string, string[]>();
  for (const [file, targets] of graph) {
    for (const target of targets) importers.set(target, [...(importers.get(target) ?? []), file]);
  }
  return importers;
}
