/**
 * A principal in a process of its own, for tests that kill, stop or outlive it. Started by fork()
 * with the principal's number and all principals as JSON; reports to the parent what happens.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startMesh } from '../src/mesh.ts';
import type { Principal } from '../src/principal.ts';
import { optionsOf, seedOf } from './cluster.ts';
import { rawMember, rawNode } from './hostile.ts';

interface WirePrincipal extends Omit<Principal, 'publicKey'> {
  readonly publicKey: string;
}

const self = Number(process.argv[2]);
const wire = JSON.parse(process.argv[3] ?? '[]') as readonly WirePrincipal[];
const task = process.argv[4];
const all = wire.map((p) => ({
  ...p,
  publicKey: Uint8Array.from(Buffer.from(p.publicKey, 'hex')),
}));

const tell = (message: string): void => void process.send?.(message);

/** Joins as a client that never reads a byte after its hello. */
async function playDeaf(): Promise<void> {
  const replica = all[0];
  if (replica === undefined) throw new Error('a replica to join');
  const { stream } = await rawMember(await rawNode(seedOf(self)), self, replica);
  stream.pause();
}

/** Forgives at once, so that a test need not wait before it can misbehave again. */
const forgiving = {
  banMs: 1,
  maxBanMs: 1,
  connectionsPerMemberPerSecond: 100_000,
  connectionsPerMember: 100_000,
  strangersPerSecond: 100_000,
  framesPerSecond: 1_000,
  redialMs: 1,
  maxRedialMs: 5,
};

async function playPrincipal(): Promise<void> {
  const mesh = await startMesh({
    ...optionsOf(all, self),
    ...(task === 'echo' ? { limits: forgiving } : {}),
    onFrame: (from, frame) => {
      const text = Buffer.from(frame).toString();
      tell(`frame ${text}`);
      if (text === 'fail') throw new Error('a bug of our own');
      if (task === 'echo') mesh.send(from, frame);
    },
    onPeer: (id, connected) => tell(`${connected ? '+' : '-'}${id}`),
  });
  tell('up');
  if (task === 'stop') {
    // Stops in the middle of everything: links, pending dials, queued frames.
    while (mesh.connected().length === 0) await sleep(5);
    mesh.send(mesh.connected()[0] ?? 0, new Uint8Array(100_000));
    const start = performance.now();
    await mesh.stop();
    tell(`stopped ${Math.round(performance.now() - start)}`);
    process.disconnect?.();
  }
}

try {
  await (task === 'deaf' ? playDeaf() : playPrincipal());
} catch (error) {
  tell(`failed ${error instanceof Error ? error.message : String(error)}`);
  process.disconnect?.();
}
