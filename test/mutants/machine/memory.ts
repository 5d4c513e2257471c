/**
 * What earlier runs have found, as long as neither the mutated file nor that of the test that found
 * it has changed: so runs of some files, and runs that end for lack of time, add up.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './runner.ts';

/** Tells texts from each other. */
export const hashOf = (...texts: readonly string[]): string => {
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

/** The file of what was found of package `name`, less what holds no more. */
export function memoryOf(root: string, name: string): string {
  const folder = join(root, 'node_modules/.cache/quorumlab-mutate');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.jsonl`);
  const versions = new Map<string, string | undefined>();
  const isNow = (file: string, version: string): boolean => {
    if (!versions.has(file)) {
      const full = join(root, file);
      versions.set(file, existsSync(full) ? versionOf(full) : undefined);
    }
    return versions.get(file) === version;
  };
  const holds = (named: string): boolean => {
    const [, file = '', version = ''] = /^(.*?)@([0-9a-f]+)/.exec(named) ?? [];
    return isNow(file, version);
  };
  const kept: Finding[] = [];
  for (const each of existsSync(path) ? findingsIn(path) : []) {
    if ('test' in each && !holds(each.test)) continue;
    if ('id' in each && !holds(each.id)) continue;
    if ('ids' in each) kept.push({ ...each, ids: each.ids.filter(holds) });
    else if ('files' in each) kept.push({ ...each, files: each.files.filter(holds) });
    else kept.push(each);
  }
  writeFileSync(path, kept.map((each) => `${JSON.stringify(each)}\n`).join(''));
  return path;
}
