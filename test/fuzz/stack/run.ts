/** The fuzz of the whole stack: real processes on one side, whoever likes on the other. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { range } from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import { decisions } from '@quorumlab/sim';
import { principals } from '../../../packages/node/test-support/cluster.ts';
import { type Ask, groupOf, LIAR, type PrincipalJson, type Report, type Start } from './group.ts';
import { type Layer, layersOf } from './layers.ts';
import { liarOf } from './liar.ts';

/** What to run. */
export interface StackOptions {
  readonly protocol: string;
  /** In all, shared among the layers. */
  readonly inputs: number;
  readonly seed: number;
  /** Only the layer of this name. */
  readonly layer?: string | undefined;
  readonly say?: (line: string) => void;
}

/** What was found. */
export interface StackResult {
  readonly inputs: number;
  /** By layer, how many inputs it got, and milliseconds. */
  readonly layers: readonly {
    readonly name: string;
    readonly inputs: number;
    readonly ms: number;
  }[];
  /** Bytes that the victim held more after all of it than before. */
  readonly grown: number;
  readonly framesIn: number;
  readonly refused: number;
  readonly resets: number;
  /** Replicas that stopped themselves: in a group for crash faults a lying member can do that. */
  readonly stopped: readonly string[];
}

type Told = Extract<Report, { readonly type: 'report' }>;

/** How long an honest request may take among all this before it counts as unanswered. */
const patienceMs = 60_000;

class Victim {
  readonly #child: ChildProcess;
  readonly fatal: string[] = [];
  #stderr = '';

  constructor(start: Start) {
    this.#child = fork(
      fileURLToPath(new URL('victim.ts', import.meta.url)),
      [JSON.stringify(start)],
      {
        execArgv: ['--conditions=source', '--expose-gc'],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    this.#child.stderr?.on('data', (data) => {
      this.#stderr = `${this.#stderr}${data}`.slice(-4_000);
    });
    this.#child.on('message', (report: Report) => {
      if (report.type === 'fatal') this.fatal.push(report.line);
    });
  }

  next<T extends Report['type']>(type: T): Promise<Extract<Report, { type: T }>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => done(() => reject(new Error('an honest request is not answered'))),
        patienceMs,
      );
      const onMessage = (report: Report): void => {
        // The type was just compared.
        if (report.type === type) done(() => resolve(report as Extract<Report, { type: T }>));
      };
      const onExit = (): void =>
        done(() => reject(new Error(`the process has ended: ${this.#stderr.trim()}`)));
      const done = (then: () => void): void => {
        clearTimeout(timer);
        this.#child.off('message', onMessage).off('exit', onExit);
        then();
      };
      this.#child.on('message', onMessage).on('exit', onExit);
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) onExit();
    });
  }

  ask(write: boolean, measure: boolean): Promise<Told> {
    const answer = this.next('report');
    if (this.#child.connected) this.#child.send({ write, measure } satisfies Ask);
    return answer;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

/**
 * Feeds `inputs` to a group of `protocol` in a process of its own. Throws, with the line that
 * replays, if that process ends or an honest request is not answered.
 */
export async function fuzzStack(options: StackOptions): Promise<StackResult> {
  const { protocol, inputs, seed, layer: only, say = () => {} } = options;
  const { claims } = protocolOf(protocol);
  const n = claims.replicas(1);
  const member = n - 1;
  const trusts = claims.faults === 'crash';
  const all = await principals(n, 2);
  const json: PrincipalJson[] = all.map((each) => ({
    ...each,
    publicKey: Buffer.from(each.publicKey).toString('hex'),
  }));
  const honest = range(n).filter((id) => id !== member);
  const folder = mkdtempSync(join(tmpdir(), 'quorumlab-fuzz-'));
  const victim = new Victim({ name: protocol, n, honest, folder, principals: json });
  const group = groupOf(protocol, n, json);
  const scene = { all, targets: honest, liar: (self: number) => liarOf(self, group) };
  const layers = layersOf(LIAR, member).filter(({ name }) => only === undefined || name === only);
  if (layers.length === 0) throw new Error(`There is no layer "${only}".`);
  const shares = layers.reduce((sum, { share }) => sum + share, 0);
  const fed: { name: string; inputs: number; ms: number }[] = [];
  try {
    await victim.next('up');
    const before = await victim.ask(true, true);
    let last = before;
    for (const layer of layers) {
      const count = Math.ceil((inputs * layer.share) / shares);
      const began = performance.now();
      const used = last.cpu;
      last = await feedLayer(layer, count);
      const ms = Math.round(performance.now() - began);
      fed.push({ name: layer.name, inputs: count, ms });
      const cpu = `${last.cpu - used} ms of CPU there`;
      say(`${protocol}, ${layer.name}: ${count} inputs in ${ms} ms, ${cpu}`);
    }
    const lied = trusts && layers.some(({ lies }) => lies === true);
    const after = await victim.ask(!lied, true);
    return {
      inputs: fed.reduce((sum, one) => sum + one.inputs, 0),
      layers: fed,
      grown: after.held - before.held,
      framesIn: after.framesIn,
      refused: after.refused,
      resets: after.resets,
      stopped: [...after.stopped, ...victim.fatal],
    };
  } finally {
    victim.end();
    rmSync(folder, { recursive: true, force: true });
  }

  async function feedLayer(layer: Layer, count: number): Promise<Told> {
    const feeding = await layer.begin(scene);
    // Where members are trusted a lie may end the group's progress, but never a process.
    const writes = !(trusts && layer.lies === true);
    let told = await victim.ask(false, false);
    try {
      for (let done = 0, batch = seed; done < count; done += layer.perBatch, batch++) {
        const size = Math.min(layer.perBatch, count - done);
        try {
          await feeding.feed(decisions({ seed: `stack ${layer.name} ${batch}` }), size);
          told = await victim.ask(writes, false);
        } catch (error) {
          throw new Error(
            `${protocol}, ${layer.name}, batch ${batch}: ${String(error)}\n` +
              victim.fatal.map((line) => `stopped: ${line}\n`).join('') +
              'replay: ' +
              `npm run fuzz -- --protocol ${protocol} --layer '${layer.name}' ` +
              `--seed ${batch} --inputs ${size}`,
            { cause: error },
          );
        }
      }
    } finally {
      await feeding.end();
    }
    return told;
  }
}
