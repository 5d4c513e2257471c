import { importsOf } from './imports.ts';
import { layersOf } from './lexer.ts';
import { type Faults, isTest, lineAt, packagesOf, sourcesOf, type Tree } from './tree.ts';

/**
 * Above the protocols only these run inside the simulator and a browser, so only these must be
 * pure as well.
 */
const pureAboveProtocols = new Set(['@quorumlab/log', '@quorumlab/sim']);

/**
 * Names that bring in time, chance, keys or a machine: with one of them a run could not be
 * replayed.
 */
const impure =
  /(?<![\w$.])(?:Date|performance|setTimeout|setInterval|setImmediate|queueMicrotask|requestAnimationFrame|fetch|process|crypto|WebSocket|XMLHttpRequest|Buffer)\b(?!\s*\??:)|\bglobalThis\b|\bMath\s*\.\s*random\b|\bMath\b(?!\s*\.)|\bgetRandomValues\b|\brandomUUID\b/g;

/**
 * A protocol answers an input at once; a promise would let the host's scheduler order its
 * steps.
 */
const asynchronous = /(?<![\w$.])(?:async|await|Promise)\b(?!\s*\??:)/g;

/**
 * Pure packages name no clock, no chance, no process and no network, and import nothing of
 * Node.
 */
export function purityFaults(tree: Tree): Faults {
  const faults: string[] = [];
  const pure = packagesOf(tree).filter(
    ({ manifest }) => (manifest.floor ?? 0) <= 2 || pureAboveProtocols.has(manifest.name ?? ''),
  );
  for (const [path, text] of sourcesOf(tree)) {
    const owner = pure.find(({ folder }) => path.startsWith(`${folder}/`));
    if (owner === undefined || isTest(path)) continue;
    const { code } = layersOf(text);
    const names = [...code.matchAll(impure)];
    if (owner.manifest.floor === 2) names.push(...code.matchAll(asynchronous));
    for (const name of names) {
      faults.push(`${path}:${lineAt(code, name.index)} names ${name[0]} in a pure package`);
    }
    for (const { specifier, line } of importsOf(text)) {
      if (!specifier.startsWith('node:')) continue;
      faults.push(`${path}:${line} imports ${specifier} in a pure package`);
    }
  }
  return faults;
}
