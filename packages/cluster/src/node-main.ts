#!/usr/bin/env node
/**
 * One node as a process: `node node-main.js --folder FOLDER --self 0`, with `--with FILE` for each
 * module of one's own. SIGTERM and SIGINT stop it; with `--attached` so does the end of its
 * standard input, so that it does not outlive its parent.
 */
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { loadModule } from '@quorumlab/harness/modules';
import { LostDiskError, lostDiskExit, sentenceOf } from './errors.ts';
import { runNode } from './run-node.ts';

/** Exit code of a node that stopped itself, e.g. because its disk is full. */
const failed = 1;
/** Exit code of a node that did not start. */
const notStarted = 254;

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    self: { type: 'string' },
    attack: { type: 'string' },
    rejoin: { type: 'boolean' },
    attached: { type: 'boolean' },
    with: { type: 'string', multiple: true },
  },
});

const say = (error: unknown): void => {
  const name = error instanceof Error ? error.name : 'Error';
  process.stderr.write(`error ${name}: ${sentenceOf(error)}\n`);
};

try {
  const { folder = '.', self = '', attack, rejoin = false, attached = false } = values;
  for (const file of values.with ?? []) await loadModule(file);
  const node = await runNode({
    folder,
    self: /^\d+$/.test(self) ? Number(self) : -1,
    rejoin,
    ...(attack === undefined ? {} : { attack }),
  });
  const stop = (): void => void node.stop();
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // Does something only where the environment names a folder for it.
  flushCompileCache();
  if (attached) {
    process.stdin.on('error', stop);
    process.stdin.on('end', stop);
    process.stdin.resume();
  }
  const reason = await node.ended;
  if (reason !== undefined) say(reason);
  process.exit(reason === undefined ? 0 : failed);
} catch (error) {
  say(error);
  process.exit(error instanceof LostDiskError ? lostDiskExit : notStarted);
}
