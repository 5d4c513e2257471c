/** Frames per second from one process to another: the libp2p mesh beside raw TCP. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createLogger, generateSeed, type Mesh, publicKeyOf, startMesh } from '@quorumlab/node';
import { freePorts } from '../../packages/node/test-support/cluster.ts';
import type { Ready, Start } from './frames-receiver.ts';
import { inTurns, type Part, type Row } from './measure.ts';

/** How many frames leave in one tick, as a busy replica's do. */
const perTick = 256;

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Resolves when the receiver has counted so many more frames. */
async function received(child: ChildProcess): Promise<void> {
  await once(child, 'message');
}

async function overMesh(mesh: Mesh, child: ChildProcess, bytes: number, count: number) {
  const frame = new Uint8Array(bytes).fill(7);
  const all = received(child);
  child.send({ count });
  const began = performance.now();
  for (let sent = 0; sent < count; ) {
    for (let i = 0; i < perTick && sent < count; i++) {
      // False: the queue is full. Let it drain.
      if (!mesh.send(1, frame)) break;
      sent++;
    }
    await tick();
  }
  await all;
  return count / (performance.now() - began) / 1000;
}

async function overTcp(socket: Socket, child: ChildProcess, bytes: number, count: number) {
  const batch = new Uint8Array((bytes + 4) * perTick);
  const view = new DataView(batch.buffer);
  for (let i = 0; i < perTick; i++) view.setUint32(i * (bytes + 4), bytes);
  const all = received(child);
  child.send({ count });
  const began = performance.now();
  for (let sent = 0; sent < count; sent += perTick) {
    const part = count - sent < perTick ? batch.subarray(0, (count - sent) * (bytes + 4)) : batch;
    if (!socket.write(part)) await once(socket, 'drain');
  }
  await all;
  return count / (performance.now() - began) / 1000;
}

async function measured(mesh: Mesh, socket: Socket, child: ChildProcess, quick: boolean) {
  const rows: Row[] = [];
  for (const bytes of [100, 1024]) {
    const count = bytes === 100 ? (quick ? 200_000 : 600_000) : quick ? 40_000 : 120_000;
    const found = await inTurns(quick ? 3 : 5, {
      mesh: () => overMesh(mesh, child, bytes, count),
      tcp: () => overTcp(socket, child, bytes, count),
    });
    rows.push({
      part: 'frames',
      name: `libp2p frames of ${bytes} B, two processes`,
      value: found.mesh,
      unit: 'M/s',
      limit: { name: 'raw TCP with length prefixes', value: found.tcp },
      note: `TCP, Noise, yamux; ${perTick} frames a tick`,
      ...(bytes === 100 ? { target: { value: 1, better: 'more' as const } } : {}),
    });
  }
  return rows;
}

/** Starts the receiver, joins it, and measures. */
export const frames: Part = async ({ quick }) => {
  const seeds = [generateSeed(), generateSeed()] as const;
  const file = fileURLToPath(new URL('frames-receiver.ts', import.meta.url));
  const child = fork(file, [], { execArgv: ['--conditions=source'] });
  const keys = seeds.map((seed) => Buffer.from(publicKeyOf(seed)).toString('hex'));
  const [own = 0, other = 0] = await freePorts(2);
  const addresses = [`/ip4/127.0.0.1/tcp/${own}`, `/ip4/127.0.0.1/tcp/${other}`] as const;
  const secretKey = Buffer.from(seeds[1]).toString('hex');
  const start: Start = { secretKey, publicKeys: keys, addresses };
  try {
    child.send(start);
    const [{ tcpPort }] = (await once(child, 'message')) as [Ready];
    const mesh = await startMesh({
      secretKey: seeds[0],
      self: 0,
      listen: addresses[0],
      principals: [
        { id: 0, publicKey: publicKeyOf(seeds[0]), address: addresses[0] },
        { id: 1, publicKey: publicKeyOf(seeds[1]), address: addresses[1] },
      ],
      maxFrameBytes: 1 << 20,
      onFrame: () => {},
      logger: createLogger({ level: 'error' }),
    });
    const socket = createConnection(tcpPort, '127.0.0.1');
    try {
      await mesh.ready();
      return await measured(mesh, socket, child, quick);
    } finally {
      socket.destroy();
      await mesh.stop();
    }
  } finally {
    child.kill();
  }
};
