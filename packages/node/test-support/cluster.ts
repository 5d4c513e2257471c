/** Helpers of this package's tests: real meshes on loopback. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { publicKeyOf } from '../src/keys.ts';
import { createLogger } from '../src/logging.ts';
import { startMesh } from '../src/mesh.ts';
import type { MeshOptions } from '../src/mesh-options.ts';
import type { Mesh } from '../src/mesh-port.ts';
import type { Principal } from '../src/principal.ts';

/** A frame received by a test node. */
export interface Received {
  readonly from: number;
  readonly text: string;
}

/** One node of a test cluster and what it saw. */
export interface TestNode {
  readonly mesh: Mesh;
  readonly received: Received[];
  readonly peerEvents: string[];
}

/** A seed that is the same in every run, so that who dials whom is, too. */
export function seedOf(id: number): Uint8Array {
  return createHash('sha256').update(`quorumlab test principal ${id}`).digest();
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            resolve(typeof address === 'object' && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** `replicas` replicas on free ports, and clients from 65,536 on. */
export async function principals(replicas: number, clients = 0): Promise<Principal[]> {
  const ports = await freePorts(replicas);
  return [
    ...ports.map((port, id) => ({
      id,
      publicKey: publicKeyOf(seedOf(id)),
      address: `/ip4/127.0.0.1/tcp/${port}`,
    })),
    ...Array.from({ length: clients }, (_, k) => ({
      id: 65_536 + k,
      publicKey: publicKeyOf(seedOf(65_536 + k)),
    })),
  ];
}

/** The options of principal `self`, for tests that change some. */
export function optionsOf(all: readonly Principal[], self: number): MeshOptions {
  const address = all.find(({ id }) => id === self)?.address;
  return {
    secretKey: seedOf(self),
    self,
    principals: all,
    maxFrameBytes: 1024 * 1024,
    onFrame: () => {},
    logger: createLogger({ level: 'silent' }),
    ...(address === undefined ? {} : { listen: address }),
  };
}

/** Starts principal `self` and records what it receives as text. */
export async function startNode(
  all: readonly Principal[],
  self: number,
  changes: Partial<MeshOptions> = {},
): Promise<TestNode> {
  const received: Received[] = [];
  const peerEvents: string[] = [];
  const mesh = await startMesh({
    ...optionsOf(all, self),
    onFrame: (from, frame) => {
      received.push({ from, text: Buffer.from(frame).toString() });
    },
    onPeer: (id, connected) => {
      peerEvents.push(`${connected ? '+' : '-'}${id}`);
    },
    ...changes,
  });
  return { mesh, received, peerEvents };
}

/** Starts all principals. */
export function startAll(all: readonly Principal[]): Promise<TestNode[]> {
  return Promise.all(all.map(({ id }) => startNode(all, id)));
}

/** Stops nodes; for the end of tests. */
export async function stopAll(nodes: readonly TestNode[]): Promise<void> {
  await Promise.all(nodes.map(({ mesh }) => mesh.stop()));
}

/**
 * Waits until the condition holds, or was looked at too often: that ends a failing test. Looks are
 * turns of this process, in which what it waits for has had its turns too; a machine that is busy
 * with others gives fewer of both, and says nothing about the test.
 */
export async function until(what: string, condition: () => boolean, looks = 3000): Promise<void> {
  for (let looked = 1; !condition(); looked++) {
    if (looked >= looks) throw new Error(`Waited in vain: ${what}`);
    await sleep(5);
  }
}

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}
