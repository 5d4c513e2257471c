/**
 * What earlier runs have found, as long as neither the sources nor the file of the test that found
 * it have changed: so runs that end for lack of time add up.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './runner.ts';

const hashOf = (...texts: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 12);
};

/** Tells one text of a file from another. */
export const versionOf = (path: string): string => hashOf(readFileSync(path, 'utf8'));

/** All that was found, a line each. */
export const findingsIn = (path: string): Finding[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Finding);

/** The file of what was found of `sources` of package `name`, less what holds no more. */
export function memoryOf(root: string, name: string, sources: readonly string[]): string {
  const folder = join(root, 'node_modules/.cache/quorumlab-mutate');
  mkdirSync(folder, { recursive: true });
  const texts = sources.map((each) => readFileSync(join(root, each), 'utf8'));
  const path = join(folder, `${name}-${hashOf(...texts)}.jsonl`);
  const kept = existsSync(path) ? findingsIn(path).filter((each) => holds(root, each)) : [];
  writeFileSync(path, kept.map((each) => `${JSON.stringify(each)}\n`).join(''));
  return path;
}

function holds(root: string, finding: Finding): boolean {
  if (!('test' in finding)) return true;
  const [, file = '', version] = /^(.*?)@([0-9a-f]+): /.exec(finding.test) ?? [];
  return existsSync(join(root, file)) && versionOf(join(root, file)) === version;
}
