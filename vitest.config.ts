import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Named, because vite would else look for one in every folder above, also outside this work tree.
  tsconfig: 'tsconfig.base.json',
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    globalSetup: ['test/support/announce.ts'],
    testTimeout: 30_000,
    coverage: { provider: 'v8' },
  },
});
