import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { CoveredReporter } from './test/support/covered.ts';
import { LongestFirst } from './test/support/longest-first.ts';

// Programs that tests start compile their modules once and not at every start: half of the time
// that a replica's process, and a third of the time that a command takes to begin.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
  new URL('node_modules/.cache/quorumlab-compiled', import.meta.url),
);

// Commands that programs offer are compared with what their JSON says, wherever tests run them.
process.env.QUORUMLAB_COMMAND ??= 'quorumlab';

export default defineConfig({
  // Named, because vite would else look for one in every folder above, also outside this work tree.
  tsconfig: 'tsconfig.base.json',
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'examples/**/*.test.ts'],
    globalSetup: ['test/support/announce.ts', 'test/support/node-program.ts'],
    // Node itself loads the sources, as everywhere else, and nothing is transformed for it; files
    // that run after each other in one process share what they import.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    isolate: false,
    sequence: { sequencer: LongestFirst },
    // Simulations make much that soon is garbage: with more room for it, a fourteenth less work.
    execArgv: ['--max-semi-space-size=32'],
    reporters: [
      'default',
      ...(process.env.GITHUB_ACTIONS === 'true' ? ['github-actions' as const] : []),
      new CoveredReporter(),
    ],
    // These end what hangs, and judge nothing: on a machine that does other things too, a test may
    // take ten times as long.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    // Many tests wait, for processes and for timers: with one thread more than there are cores, all
    // of these work meanwhile (a tenth of the time of two cores).
    maxWorkers: availableParallelism() + 1,
    coverage: { provider: 'v8' },
  },
});
