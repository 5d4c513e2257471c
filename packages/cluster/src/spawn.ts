/** Starting node processes and waiting until they answer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadedModules } from '@quorumlab/harness/modules';
import { paths } from './config.ts';
import { tryAskNode } from './control-client.ts';
import { ClusterError, ClusterNodeError } from './errors.ts';
import { requirePlainFile } from './plain-file.ts';
import type { NodeReport } from './reports.ts';

/** How to start a node's process. */
export interface SpawnOptions {
  readonly folder: string;
  readonly self: number;
  /** An attack to begin with. */
  readonly attack?: string;
  /** It has run before: if its disk is empty, that was lost. */
  readonly rejoin?: boolean;
  /** It ends with this process, however that ends. Else it goes on by itself. */
  readonly attached?: boolean;
  /** Where processes of one kind share their compiled modules: the later ones start faster. */
  readonly compiled?: string;
}

/** A node's process that was started and may not be up yet. */
export interface SpawnedNode {
  readonly self: number;
  readonly child: ChildProcess;
  /** Resolves with its report when it answers. Throws {@link ClusterNodeError} if it ends. */
  ready(limitMs: number, signal?: AbortSignal): Promise<NodeReport>;
}

/** How often a node that is starting is asked whether it is up. */
const pollMs = 25;

/** The program of a node, as source or build, as this file is. */
const own = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './node-main.ts' : './node-main.js', import.meta.url),
);

/**
 * What node processes run: the program beside this file, unless QUORUMLAB_NODE_PROGRAM names
 * another, such as a bundle of it, which starts in half of the time. A bundle lends no packages:
 * a module of one's own must find those that it imports by itself.
 */
const programOf = ({ QUORUMLAB_NODE_PROGRAM: told }: NodeJS.ProcessEnv): string => told || own;

/** Starts the process of node `self`. */
export function spawnNode(options: SpawnOptions): SpawnedNode {
  const { self, attack, rejoin = false, attached = false, compiled } = options;
  const folder = resolve(options.folder);
  const home = paths.node(folder, self);
  requirePlainFile(paths.stderr(home), Number.MAX_SAFE_INTEGER);
  // Truncated: only the words of this start count.
  const words = openSync(paths.stderr(home), 'w', 0o600);
  const program = programOf(process.env);
  const args = [
    ...(program.endsWith('.ts') ? ['--conditions=source'] : []),
    program,
    '--folder',
    folder,
    '--self',
    String(self),
    ...(attack === undefined ? [] : ['--attack', attack]),
    ...(rejoin ? ['--rejoin'] : []),
    ...(attached ? ['--attached'] : []),
    // Its protocol may be one that this process was told of.
    ...loadedModules().flatMap((file) => ['--with', file]),
  ];
  const child = spawn(process.execPath, args, {
    detached: !attached,
    stdio: [attached ? 'pipe' : 'ignore', 'ignore', words],
    windowsHide: true,
    ...(compiled === undefined ? {} : { env: { ...process.env, NODE_COMPILE_CACHE: compiled } }),
  });
  closeSync(words);
  if (!attached) child.unref();
  // The other end of the pipe closes when the node ends first.
  child.stdin?.on('error', () => undefined);
  const exit = new Promise<Error>((tell) => {
    child.once('error', (error) => tell(error));
    child.once('exit', (code) => {
      lastWords(home).then(
        (said) => tell(new ClusterNodeError(self, code, said)),
        (error: Error) => tell(error),
      );
    });
  });
  let ended: Error | undefined;
  void exit.then((error) => (ended = error));
  return {
    self,
    child,
    async ready(limitMs, signal) {
      const deadline = performance.now() + limitMs;
      for (;;) {
        signal?.throwIfAborted();
        if (ended !== undefined) throw ended;
        const report = await tryAskNode<NodeReport>(home, 'status');
        // Another process may answer for the same folder: then ours is about to say so.
        if (report !== undefined && report.pid === child.pid) return report;
        if (performance.now() > deadline)
          throw new ClusterError(
            `n${self} is not up after ${Math.round(limitMs / 1000)} s; read ${paths.log(home)}.`,
          );
        await Promise.race([sleep(pollMs), exit]);
      }
    },
  };
}

async function lastWords(home: string): Promise<string> {
  const text = await readFile(paths.stderr(home), 'utf8').catch(() => '');
  const error = /^error (.*)$/ms.exec(text)?.[1] ?? text;
  return error.trim() === '' ? `its process ended; read ${paths.log(home)}` : error.trim();
}
