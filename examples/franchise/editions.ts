import type { Edition } from './service.ts';

/** Loaded when asked for: each brings its framework. */
const editions = {
  fastify: async () => (await import('./fastify/server.ts')).fastifyEdition,
  nest: async () => (await import('./nest/application.ts')).nestOnExpress,
  'nest-fastify': async () => (await import('./nest/application.ts')).nestOnFastify,
} satisfies Record<string, () => Promise<Edition>>;

export type EditionName = keyof typeof editions;
export const editionNames = Object.keys(editions) as EditionName[];

export function loadEdition(name: EditionName): Promise<Edition> {
  return editions[name]();
}
