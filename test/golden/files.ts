import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Golden, textOf } from './golden.ts';

const fileOf = (name: string): URL => new URL(`../fixtures/golden/${name}.json`, import.meta.url);

/** The golden bytes of a format, if there are any. */
export const readGolden = (name: string): Golden | undefined =>
  existsSync(fileOf(name)) ? (JSON.parse(readFileSync(fileOf(name), 'utf8')) as Golden) : undefined;

/** Keeps them. */
export const writeGolden = (name: string, golden: Golden): void =>
  writeFileSync(fileOf(name), textOf(golden));
