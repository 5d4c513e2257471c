/** Where a command finds its cluster, and how it says what came of it. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { type GlobalFlags, type Io, terminal } from '../io.ts';

/** What every command about a cluster takes. */
export interface Flags {
  readonly folder: string;
}

/** Where a cluster is unless told. */
export const usual = join('.quorumlab', 'cluster');

/** Where a command says things, by the flags that all commands take. */
export const ioOf = (command: Command): Io => terminal(command.optsWithGlobals<GlobalFlags>());

/** Says a result as JSON. */
export const say = (io: Io, schema: string, value: object): void =>
  io.out(JSON.stringify({ schema: `quorumlab.${schema}/1`, ...value }));

/** The flag that finds this cluster again, if it needs one. */
export const elsewhere = (folder: string): string =>
  folder === usual ? '' : ` --folder ${folder}`;
