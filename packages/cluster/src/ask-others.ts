/**
 * Asks nodes on other machines how they are. A node that runs here asks over the connections that
 * it has; if none runs, or one of them has no connection, this process asks as one of the clients.
 */
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createLogger,
  InquiryError,
  type Mesh,
  type Principal,
  readKeyFile,
  startMesh,
} from '@quorumlab/node';
import { type ClusterConfig, identityOf, nodeIn, paths } from './config.ts';
import { takeClient } from './connect.ts';
import { tryAskNode } from './control-client.ts';
import { ClusterError } from './errors.ts';
import { faultOfInquiry, placeOf, type RemoteFault } from './remote-fault.ts';
import { clusterDigest, decodeReport, type RemoteReport } from './remote-report.ts';

/** What became of a question. */
export type Asked =
  | { readonly report: RemoteReport }
  | { readonly fault: RemoteFault | 'waits-for-it'; readonly asker: string };

/** Longest wait for the answer of a node that is connected, in milliseconds. */
const answerMs = 1000;
/** Longest wait for a connection, in milliseconds: a little more than a handshake may take. */
const reachMs = 3500;
/** Longest wait for a socket to open, where nobody has a key to ask with. */
const probeMs = 1500;
/** How often it is looked whether a connection stands, in milliseconds. */
const lookMs = 20;
/** A frame of the question or its answer, with room. */
const frameBytes = 64 * 1024;

/** Asks one peer of a mesh; `digest` is that of the asker's own cluster. */
export async function askPeer(
  mesh: Pick<Mesh, 'ask' | 'faultOf'>,
  node: number,
  digest: string,
  asker: string,
): Promise<Asked> {
  const known = mesh.faultOf(node);
  if (known !== undefined) return { fault: known, asker };
  try {
    const report = decodeReport(await mesh.ask(node, answerMs));
    if (report === undefined) return { fault: 'no-answer', asker };
    return report.cluster === digest ? { report } : { fault: 'wrong-cluster', asker };
  } catch (error) {
    if (!(error instanceof InquiryError)) throw error;
    if (error.fault !== 'not-connected') return { fault: faultOfInquiry(error.fault), asker };
    // Nothing has been tried yet, or the connection has just ended.
    return { fault: mesh.faultOf(node) ?? 'waits-for-it', asker };
  }
}

/** What each of `nodes`, which are elsewhere, says; `here` are the nodes that run here. */
export async function askOthers(
  folder: string,
  config: ClusterConfig,
  nodes: readonly number[],
  here: readonly number[],
): Promise<ReadonlyMap<number, Asked>> {
  const found = new Map<number, Asked>();
  if (nodes.length === 0) return found;
  const lacks = (): readonly number[] => nodes.filter((node) => !isTold(found.get(node)));
  for (const self of here) {
    if (lacks().length === 0) break;
    const said = await tryAskNode<Record<string, Asked>>(paths.node(folder, self), 'others');
    for (const node of lacks()) {
      const asked = said?.[node];
      if (asked !== undefined) found.set(node, asked);
    }
  }
  const unsure = lacks().filter((node) => !isExact(found.get(node)));
  if (unsure.length > 0)
    for (const [node, asked] of await askAsClient(folder, config, unsure)) found.set(node, asked);
  await Promise.all(
    lacks()
      .filter((node) => !isExact(found.get(node)))
      .map(async (node) => found.set(node, await probed(config, node, found.get(node)))),
  );
  return found;
}

const isTold = (asked: Asked | undefined): boolean => asked !== undefined && 'report' in asked;

/** Whether it is known why nothing was told: a node that waits to be dialled does not know. */
const isExact = (asked: Asked | undefined): boolean =>
  asked !== undefined && 'fault' in asked && asked.fault !== 'waits-for-it';

/** Asks as a client whose key is in this folder and that no other process is. */
async function askAsClient(
  folder: string,
  config: ClusterConfig,
  nodes: readonly number[],
): Promise<ReadonlyMap<number, Asked>> {
  const ids = config.clients
    .map(({ id }) => id)
    .filter((id) => existsSync(paths.key(paths.client(folder, id))));
  const taken = await takeClient(folder, ids).catch((error: unknown) => {
    // All are in use: then it stays unknown.
    if (error instanceof ClusterError) return undefined;
    throw error;
  });
  if (taken === undefined) return new Map();
  const { id, release } = taken;
  try {
    const { members, clients } = identityOf(config);
    const wanted: Principal[] = members.filter((member) => nodes.includes(member.id));
    const mesh = await startMesh({
      secretKey: await readKeyFile(paths.key(paths.client(folder, id))),
      self: id,
      principals: [...wanted, ...clients.filter((client) => client.id === id)],
      maxFrameBytes: frameBytes,
      onFrame: () => undefined,
      logger: createLogger({ level: 'silent' }),
    });
    try {
      const digest = clusterDigest(config);
      const ask = async (node: number): Promise<readonly [number, Asked]> => [
        node,
        await askReached(mesh, node, digest, `client ${id}`),
      ];
      return new Map(await Promise.all(nodes.map(ask)));
    } finally {
      await mesh.stop();
    }
  } finally {
    release();
  }
}

async function askReached(mesh: Mesh, node: number, digest: string, asker: string): Promise<Asked> {
  const deadline = performance.now() + reachMs;
  const isOpen = (): boolean => mesh.connected().includes(node);
  while (!isOpen() && mesh.faultOf(node) === undefined && performance.now() < deadline)
    await sleep(lookMs);
  if (!isOpen()) return { fault: mesh.faultOf(node) ?? 'timed-out', asker };
  return askPeer(mesh, node, digest, asker);
}

const probeFaults: Readonly<Record<string, RemoteFault>> = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unknown-name',
  EAI_AGAIN: 'unknown-name',
  ETIMEDOUT: 'timed-out',
};

/** What a bare socket tells where nobody here could ask. */
function probed(config: ClusterConfig, node: number, asked: Asked | undefined): Promise<Asked> {
  const { host, port } = placeOf(nodeIn(config, node)?.address ?? '');
  const asker = asked !== undefined && 'fault' in asked ? asked.asker : undefined;
  return new Promise((resolve) => {
    const end = (fault: RemoteFault): void => {
      socket.destroy();
      resolve({ fault, asker: asker ?? 'this machine' });
    };
    const socket = connect({ host, port });
    socket.setTimeout(probeMs, () => end('timed-out'));
    socket.once('connect', () => end(asker === undefined ? 'not-asked' : 'not-connected'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(probeFaults[error.code ?? ''] ?? 'unreachable'),
    );
  });
}
