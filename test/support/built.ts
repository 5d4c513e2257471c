/** What is made of the sources of all packages, and kept until one of them changes. */
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
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'node_modules/.cache/quorumlab-built');

/** Changes with every source and manifest of a package and with every dependency. */
function digestOfSources(): string {
  const hash = createHash('sha256').update(readFileSync(join(root, 'pnpm-lock.yaml')));
  const add = (name: string): unknown =>
    hash.update(`\n${name}\n`).update(readFileSync(join(root, 'packages', name)));
  for (const name of readdirSync(join(root, 'packages')).sort()) {
    add(`${name}/package.json`);
    const sources = join(root, 'packages', name, 'src');
    for (const path of readdirSync(sources, { recursive: true, encoding: 'utf8' }).sort())
      if (extname(path) !== '' && !path.endsWith('.test.ts')) add(`${name}/src/${path}`);
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

/**
 * The path of a file that ends in `name`, which `make` writes where it is told to, unless it was
 * made of these very sources before. Several processes may ask at the same time.
 */
export async function built(name: string, make: (to: string) => Promise<void>): Promise<string> {
  const file = join(folder, `${digestOfSources()}-${name}`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  forgetOld();
  const draft = `${file}.${process.pid}`;
  await make(draft);
  renameSync(draft, file);
  return file;
}
