/** Principals in processes of their own that answer, and what tests of hostile peers share. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Principal } from '../src/principal.ts';
import { bytes, type TestNode, until } from './cluster.ts';

/** A process, and what it has told. */
export interface Child {
  readonly process: ChildProcess;
  readonly said: string[];
}

const children: ChildProcess[] = [];

/** Ends what {@link startEcho} has started. */
export function endChildren(): void {
  for (const child of children.splice(0)) child.kill('SIGKILL');
}

/** Principal `self` in a process of its own, which answers every frame with the same frame. */
export function startEcho(all: readonly Principal[], self: number): Child {
  const file = join(import.meta.dirname, 'child.ts');
  const wire = all.map((p) => ({ ...p, publicKey: Buffer.from(p.publicKey).toString('hex') }));
  const child = fork(file, [String(self), JSON.stringify(wire), 'echo'], {
    execArgv: ['--conditions=source'],
  });
  const said: string[] = [];
  child.on('message', (message) => void said.push(String(message)));
  children.push(child);
  return { process: child, said };
}

/** Waits until `honest` has its text back from `to`, whose process has to live. */
export async function stillAnswers(
  victim: Child,
  honest: TestNode,
  to: number,
  text: string,
): Promise<void> {
  honest.mesh.send(to, bytes(text));
  await until(`an answer after ${text}`, () => {
    if (victim.process.exitCode !== null) throw new Error(`${text}: ended the process`);
    return honest.received.at(-1)?.text === text;
  });
}

/** Numbers that follow from a seed, so that a failure can be repeated. */
export function chance(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
