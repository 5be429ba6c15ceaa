/**
 * Finds circles in a graph of imports.
 *
 * @param graph for each file, the files that it imports
 * @returns one circle for each group of files that import each other, as the list of its files, beginning with the
 *   first in alphabetical order; a file that imports itself is a circle of one
 */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const inCircle = new Set<string>();
  for (const start of [...graph.keys()].sort()) {
    if (inCircle.has(start)) continue;
    const circle = shortestWayBack(graph, start);
    if (!circle) continue;
    for (const file of circle) inCircle.add(file);
    circles.push(circle);
  }
  return circles;
}

/** Breadth first, so that the circle reported is the shortest one through `start`. */
function shortestWayBack(graph: ReadonlyMap<string, readonly string[]>, start: string): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) return trace(cameFrom, start, file);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, file);
      queue.push(next);
    }
  }
  return undefined;
}

function trace(cameFrom: ReadonlyMap<string, string>, start: string, end: string): string[] {
  const path = [end];
  for (let at = end; at !== start; ) {
    const before = cameFrom.get(at);
    if (before === undefined) break;
    path.unshift(before);
    at = before;
  }
  return path;
}
