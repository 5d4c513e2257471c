import { type ChildProcess, fork } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  bytes,
  principals,
  startNode,
  stopAll,
  type TestNode,
  until,
} from '../test-support/cluster.ts';
import type { Principal } from './principal.ts';

const running: TestNode[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await stopAll(running.splice(0));
});

interface Child {
  readonly process: ChildProcess;
  readonly said: string[];
}

function startChild(all: readonly Principal[], self: number, task = 'run'): Child {
  const file = join(import.meta.dirname, '../test-support/child.ts');
  const wire = all.map((p) => ({ ...p, publicKey: Buffer.from(p.publicKey).toString('hex') }));
  const child = fork(file, [String(self), JSON.stringify(wire), task], {
    execArgv: ['--conditions=source'],
  });
  const said: string[] = [];
  child.on('message', (message) => void said.push(String(message)));
  children.push(child);
  return { process: child, said };
}

test.each([0, 1])('replica %i is killed, is missed, comes back and is found', async (self) => {
  const all = await principals(2);
  const other = 1 - self;
  const node = await startNode(all, other);
  running.push(node);
  const first = startChild(all, self);
  await node.mesh.ready();
  node.mesh.send(self, bytes('one'));
  await until('the frame arrives', () => first.said.includes('frame one'));
  first.process.kill('SIGKILL');
  await until('the death is noticed', () => node.mesh.connected().length === 0);
  expect(node.mesh.send(self, bytes('lost'))).toBe(false);
  const second = startChild(all, self);
  await node.mesh.ready();
  node.mesh.send(self, bytes('two'));
  await until('the frame arrives', () => second.said.includes('frame two'));
  expect(node.peerEvents).toEqual([`+${self}`, `-${self}`, `+${self}`]);
});

test('a frozen process is taken for dead, and found again when it thaws', async () => {
  const all = await principals(2);
  const limits = { heartbeatMs: 100, silentHeartbeats: 4 };
  const node = await startNode(all, 0, { limits });
  running.push(node);
  const child = startChild(all, 1);
  await node.mesh.ready();
  child.process.kill('SIGSTOP');
  await until('the silence is noticed', () => node.mesh.connected().length === 0);
  child.process.kill('SIGCONT');
  await node.mesh.ready();
  // The child's own heartbeats come once a second, so the link may be redone once more; what
  // counts is that frames pass.
  await until('a frame arrives', () => {
    node.mesh.send(1, bytes('awake'));
    return child.said.includes('frame awake');
  });
});

test('a stopped mesh leaves nothing that keeps the process alive', async () => {
  const all = await principals(3);
  const node = await startNode(all, 0);
  running.push(node);
  // Replica 2 never starts, so the child is also in the middle of dialling it, or waits to.
  const child = startChild(all, 1, 'stop');
  const code = await new Promise((resolve) => child.process.once('exit', resolve));
  expect(child.said.some((line) => line.startsWith('stopped'))).toBe(true);
  expect(code).toBe(0);
});

test('a port in use is an error, and leaves nothing behind either', async () => {
  const all = await principals(2);
  const server = createServer();
  const port = Number(all[1]?.address?.split('/').pop());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const child = startChild(all, 1);
  const code = await new Promise((resolve) => child.process.once('exit', resolve));
  server.close();
  expect(child.said.some((line) => line.startsWith('failed'))).toBe(true);
  expect(code).toBe(0);
});

test('a peer that never reads costs a bounded queue, and the others get everything', async () => {
  const all = await principals(3, 1);
  const nodes = await Promise.all([0, 1, 2].map((id) => startNode(all, id)));
  running.push(...nodes);
  const [sender, ...others] = nodes;
  if (sender === undefined) throw new Error('three nodes');
  const client = 65_536;
  await Promise.all(nodes.map(({ mesh }) => mesh.ready()));
  startChild(all, client, 'deaf');
  await until('the deaf peer is admitted', () => sender.mesh.connected().includes(client));
  const frame = new Uint8Array(32 * 1024);
  const before = process.memoryUsage().rss;
  const rounds = 4_000;
  let refused = 0;
  let numbersRefused = 0;
  for (let k = 0; k < rounds; k++) {
    if (!sender.mesh.send(client, frame)) refused++;
    if (k % 20 === 0) {
      for (const id of [1, 2]) if (!sender.mesh.send(id, bytes(`${k}`))) numbersRefused++;
    }
    if (k % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until('the others got all', () => others.every(({ received }) => received.length === 200));
  // 128 MB were offered: the queue, the windows and the sockets took some, the rest was refused.
  expect(refused).toBeGreaterThan(rounds / 2);
  expect(numbersRefused).toBe(0);
  expect(sender.mesh.stats().queuedBytes).toBeLessThanOrEqual(8 * 1024 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(20 * 1024 * 1024);
});
