/** Before the first test: the program of a node as one file, which tests start many times. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'node_modules/.cache/quorumlab-node');

/** Changes with every source of a package and with every dependency. */
function digestOfSources(): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'pnpm-lock.yaml')));
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    const sources = join(root, 'packages', name, 'src');
    for (const path of readdirSync(sources, { recursive: true, encoding: 'utf8' }).sort())
      if (path.endsWith('.ts') && !path.endsWith('.test.ts'))
        hash.update(`\n${name}/${path}\n`).update(readFileSync(join(sources, path)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Removes what older sources have left; not what another run may be using. */
function forgetOld(): void {
  for (const name of readdirSync(folder)) {
    const { mtimeMs } = statSync(join(folder, name));
    if (Date.now() - mtimeMs > 24 * 3600_000)
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/** Bundles the program into `file`; other runs may do so at the same time. */
async function bundle(file: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
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
      outDir: draft,
      rolldownOptions: { output: { entryFileNames: 'node.mjs', codeSplitting: false } },
    },
  });
  renameSync(join(draft, 'node.mjs'), file);
  rmSync(draft, { recursive: true });
}

/**
 * Has the nodes of tests run a bundle of these very sources: Node spends more than half of a
 * node's start on finding some 900 modules. `test/cluster/one-decision.test.ts` starts the sources
 * as they are.
 */
export async function setup(): Promise<void> {
  const file = join(folder, `${digestOfSources()}.mjs`);
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true });
    forgetOld();
    await bundle(file);
  }
  process.env.QUORUMLAB_NODE_PROGRAM = file;
}
