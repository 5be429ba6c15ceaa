import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests run the sources, not the last build.
    alias: [
      { find: /^tidemark\/admin$/, replacement: here('./src/admin/index.ts') },
      { find: /^tidemark\/testing$/, replacement: here('./src/testing/index.ts') },
      { find: /^tidemark\/decorators$/, replacement: here('./src/decorators/index.ts') },
      { find: /^tidemark\/nestjs$/, replacement: here('./src/nestjs/index.ts') },
      { find: /^tidemark\/operations$/, replacement: here('./src/operations/index.ts') },
      { find: /^tidemark\/opentelemetry$/, replacement: here('./src/opentelemetry/index.ts') },
      { find: /^tidemark\/postgres$/, replacement: here('./src/postgres/index.ts') },
      { find: /^tidemark\/nats$/, replacement: here('./src/nats/index.ts') },
      { find: /^tidemark\/prometheus$/, replacement: here('./src/prometheus/index.ts') },
      { find: /^tidemark\/redis$/, replacement: here('./src/redis/index.ts') },
      { find: /^tidemark\/keyv$/, replacement: here('./src/keyv/index.ts') },
      { find: /^tidemark\/express$/, replacement: here('./src/express/index.ts') },
      { find: /^tidemark\/fastify$/, replacement: here('./src/fastify/index.ts') },
      { find: /^tidemark\/kysely$/, replacement: here('./src/kysely/index.ts') },
      { find: /^tidemark\/drizzle$/, replacement: here('./src/drizzle/index.ts') },
      { find: /^tidemark\/prisma$/, replacement: here('./src/prisma/index.ts') },
      { find: /^tidemark\/typeorm$/, replacement: here('./src/typeorm/index.ts') },
      { find: /^tidemark$/, replacement: here('./src/index.ts') },
    ],
  },
  test: {
    include: [
      'src/**/*.test.ts',
      'test/**/*.test.ts',
      'examples/**/*.test.ts',
      'monitoring/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '.cache/**'],
    // Errors elsewhere are found by `npm run types`.
    typecheck: {
      enabled: true,
      include: ['test/types/**/*.test-d.ts'],
      tsconfig: './tsconfig.json',
      ignoreSourceErrors: true,
    },
    globalSetup: ['./test/run-folder.ts', './scripts/prisma-client.ts'],
    setupFiles: ['./test/leak-check.ts'],
    // A test ends long before this unless it hangs; what starts a server or a process asks for more time itself.
    testTimeout: 10_000,
    hookTimeout: 20_000,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
});
