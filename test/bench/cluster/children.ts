/** Replicas in processes of their own: for the benchmark, and for tests that kill them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blsScheme } from '@quorumlab/bls';
import { toHex } from '@quorumlab/core';
import type { OptionValues } from '@quorumlab/harness';
import {
  certificateKeyOf,
  generateSeed,
  type MeshLimits,
  publicKeyOf,
  type Signatures,
} from '@quorumlab/node';
import { freePorts } from '../../../packages/node/test-support/cluster.ts';
import type { Ask, PrincipalJson, Told } from './shared.ts';

/** A replica's process. */
export interface Child {
  readonly process: ChildProcess;
  ask(ask: Ask): void;
  /** The next answer of this type. Throws if the replica stops itself first. */
  next<T extends Told['type']>(type: T): Promise<Extract<Told, { type: T }>>;
}

/** Keys and addresses of `n` replicas and of clients, whose keys are the last. */
export interface Place {
  readonly principals: readonly PrincipalJson[];
  readonly seeds: readonly Uint8Array[];
  readonly home: string;
}

/**
 * Makes keys for `n` replicas on free ports, and for clients: one unless told; `aggregates`: for
 * certificates too.
 */
export async function placeOf(
  n: number,
  home: string,
  clients = 1,
  aggregates = false,
): Promise<Place> {
  const scheme = aggregates ? await blsScheme() : undefined;
  const ports = await freePorts(n);
  const seeds = Array.from({ length: n + clients }, () => generateSeed());
  const principals = seeds.map((seed, i) => {
    const publicKey = Buffer.from(publicKeyOf(seed)).toString('hex');
    if (i >= n) return { id: 65_536 + i - n, publicKey };
    const address = `/ip4/127.0.0.1/tcp/${ports[i]}`;
    if (scheme === undefined) return { id: i, publicKey, address };
    const key = certificateKeyOf(scheme, seed);
    const { publicKey: own, possession } = key;
    const certificateKey = { publicKey: toHex(own), possession: toHex(possession) };
    return { id: i, publicKey, address, certificateKey };
  });
  return { principals, seeds, home };
}

/** What a child runs. */
export interface ChildOptions {
  /** A registered protocol's name. */
  readonly protocol: string;
  /** Its own options. */
  readonly options?: OptionValues | undefined;
  readonly n: number;
  readonly self: number;
  readonly place: Place;
  readonly signatures?: Signatures | undefined;
  /** Whether certificates are aggregates: then the place has keys for them. */
  readonly aggregates?: boolean | undefined;
  readonly backEnd?: 'files' | 'sqlite';
  readonly execArgv?: readonly string[];
  /** Peers to wait for; all others unless told. */
  readonly peers?: number;
  /** Where to answer a tool of this machine how the node is; nowhere unless told. */
  readonly control?: string;
  /** Limits of the mesh that are other than its own. */
  readonly meshLimits?: Partial<MeshLimits>;
}

/** Compiled once, not by every child: half of the time that a child takes to start. */
const compileCache: string = fileURLToPath(
  new URL('../../../node_modules/.cache/quorumlab-compiled', import.meta.url),
);

/** Starts replica `self` in a process of its own; wait for its `ready`. */
export function startChild(options: ChildOptions): Child {
  const { protocol, n, self, place, signatures, backEnd = 'files', execArgv = [] } = options;
  const path = fileURLToPath(new URL('replica.ts', import.meta.url));
  const child = fork(path, [], {
    execArgv: ['--conditions=source', ...execArgv],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  });
  child.send({
    type: 'start',
    protocol,
    options: options.options ?? {},
    n,
    self,
    principals: place.principals,
    secretKey: Buffer.from(place.seeds[self] as Uint8Array).toString('hex'),
    folder: join(place.home, `${self}`),
    backEnd,
    signatures,
    aggregates: options.aggregates ?? false,
    peers: options.peers,
    control: options.control,
    meshLimits: options.meshLimits,
  } satisfies Ask);
  return {
    process: child,
    ask: (ask) => void (child.connected && child.send(ask)),
    async next(type) {
      for (;;) {
        const [told] = (await once(child, 'message')) as [Told];
        if (told.type === 'failed') throw new Error(`A replica stopped: ${told.why}`);
        // The type was just compared.
        if (told.type === type) return told as Extract<Told, { type: typeof type }>;
      }
    },
  };
}

/** Asks a replica to stop and kills it if it does not end by itself. Its exit code, or signal. */
export async function endChild({ process: child }: Child): Promise<number | string | null> {
  if (child.exitCode !== null || child.signalCode !== null)
    return child.exitCode ?? child.signalCode;
  const gone = once(child, 'exit');
  if (child.connected) child.send({ type: 'stop' } satisfies Ask);
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await gone;
  clearTimeout(timer);
  return child.exitCode ?? child.signalCode;
}
