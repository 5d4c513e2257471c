/** Before the first test: the program of a node as one file, which tests start many times. */
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { built } from './built.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Bundles the program into the file `to`. */
async function bundle(to: string): Promise<void> {
  const folder = `${to}.parts`;
  await build({
    root,
    configFile: false,
    tsconfig: 'tsconfig.base.json',
    logLevel: 'error',
    resolve: { conditions: ['source', 'node', 'import', 'default'] },
    // Native code is found beside a package or not at all.
    ssr: {
      noExternal: true,
      external: ['@chainsafe/blst'],
      resolve: { conditions: ['source', 'node', 'import', 'default'] },
    },
    build: {
      ssr: join(root, 'packages/cluster/src/node-main.ts'),
      target: 'node22',
      minify: false,
      outDir: folder,
      rolldownOptions: { output: { entryFileNames: 'node.mjs', codeSplitting: false } },
    },
  });
  renameSync(join(folder, 'node.mjs'), to);
  rmSync(folder, { recursive: true });
}

/**
 * Has the nodes of tests run a bundle of these very sources: Node spends more than half of a
 * node's start on finding some 900 modules. `test/cluster/one-decision.test.ts` starts the sources
 * as they are.
 */
export async function setup(): Promise<void> {
  process.env.QUORUMLAB_NODE_PROGRAM = await built('node.mjs', bundle);
}
