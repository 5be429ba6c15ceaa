import { readdirSync, readFileSync } from 'node:fs';

/** How many resources of each kind keep this process alive, as Node names them. */
export type ResourceCounts = ReadonlyMap<string, number>;

export function countResources(): ResourceCounts {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** The kinds of which there are more than before, each with how many more. */
export function resourcesLeft(before: ResourceCounts, after: ResourceCounts): string[] {
  return [...after].flatMap(([kind, count]) => {
    const more = count - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} ${kind}`] : [];
  });
}

/**
 * Processes that were started with a variable in their environment, whoever is their parent now.
 *
 * @param variable `NAME=value`
 * @returns one line for each, with its id and command; none where the system has no `/proc`
 */
export function processesWith(variable: string): { readonly id: number; readonly command: string }[] {
  return processIds().flatMap((id) => {
    try {
      if (!readFileSync(`/proc/${id}/environ`, 'utf8').split('\0').includes(variable)) return [];
      return [{ id, command: readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0').join(' ').trim() }];
    } catch {
      return []; // It has ended meanwhile, or belongs to another user.
    }
  });
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
