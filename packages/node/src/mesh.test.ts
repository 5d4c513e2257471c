import { afterEach, describe, expect, test } from 'vitest';
import {
  bytes,
  optionsOf,
  principals,
  startAll,
  startNode,
  stopAll,
  type TestNode,
  until,
} from '../test-support/cluster.ts';
import { createLogger } from './logging.ts';
import { startMesh } from './mesh.ts';
import { MeshConfigError } from './mesh-options.ts';
import { MeshStoppedError } from './mesh-port.ts';

const running: TestNode[] = [];
afterEach(async () => {
  await stopAll(running.splice(0));
});

function keep(nodes: readonly TestNode[]): readonly TestNode[] {
  running.push(...nodes);
  return nodes;
}

describe('a mesh', () => {
  test.each([4, 7])('of %i replicas and a client carries all frames, in order', async (n) => {
    const nodes = keep(await startAll(await principals(n, 1)));
    await Promise.all(nodes.map(({ mesh }) => mesh.ready()));
    const client = 65_536;
    await until('the client is known', () =>
      nodes.slice(0, n).every(({ mesh }) => mesh.connected().includes(client)),
    );
    const ids = [...Array(n).keys(), client];
    const frames = 200;
    nodes.forEach(({ mesh }, k) => {
      for (const to of ids.filter((id) => id !== ids[k])) {
        for (let i = 0; i < frames; i++) {
          expect(mesh.send(to, bytes(`${i}${'.'.repeat(i * 7)}`))).toBe(true);
        }
      }
    });
    await until('everything arrived', () =>
      nodes.every(({ received }) => received.length === n * frames),
    );
    for (const { received } of nodes) {
      for (const from of new Set(received.map((frame) => frame.from))) {
        const texts = received.filter((frame) => frame.from === from).map(({ text }) => text);
        expect(texts).toEqual(texts.map((_, i) => `${i}${'.'.repeat(i * 7)}`));
      }
    }
    const { dropped, refused, resets } = (nodes[0] as TestNode).mesh.stats();
    expect(new Set([...Object.values(dropped), ...Object.values(refused), resets])).toEqual(
      new Set([0]),
    );
  });

  test('frames up to the cap pass and larger ones are refused at the sender', async () => {
    const all = await principals(2);
    const a = await startNode(all, 0, { maxFrameBytes: 3_000_000 });
    let length = 0;
    const onFrame = (_from: number, frame: Uint8Array): void => {
      length = frame.every((byte) => byte === 7) ? frame.byteLength : -1;
    };
    const b = await startNode(all, 1, { maxFrameBytes: 2_000_000, onFrame });
    keep([a, b]);
    await Promise.all([a.mesh.ready(), b.mesh.ready()]);
    // The receiver's cap, learnt from its hello, holds even where the sender's is higher.
    expect(a.mesh.send(1, new Uint8Array(2_000_001))).toBe(false);
    expect(a.mesh.send(1, new Uint8Array(0))).toBe(false);
    expect(a.mesh.send(1, new Uint8Array(2_000_000).fill(7))).toBe(true);
    await until('the frame arrived', () => length !== 0);
    expect(length).toBe(2_000_000);
    expect(a.mesh.connected()).toEqual([1]);
  });

  test('a frame that is not sent is in the log and in the counters, by its reason', async () => {
    const lines: Record<string, unknown>[] = [];
    const logger = createLogger({ destination: { write: (l) => void lines.push(JSON.parse(l)) } });
    const all = await principals(3);
    const a = await startNode(all, 0, { logger, limits: { queueBytesPerPeer: 1 } });
    const b = await startNode(all, 1);
    keep([a, b]);
    await a.mesh.ready(1);
    const full = new Uint8Array(1024 * 1024);
    expect(a.mesh.send(1, new Uint8Array(full.byteLength + 1))).toBe(false);
    expect(a.mesh.send(1, new Uint8Array(0))).toBe(false);
    expect(a.mesh.send(2, full)).toBe(false);
    let sent = 0;
    while (a.mesh.send(1, full)) sent++;
    expect(sent).toBeGreaterThan(0);
    expect(a.mesh.stats().dropped).toEqual({
      oversized: 1,
      empty: 1,
      'not-connected': 1,
      'queue-full': 1,
    });
    const said = lines.filter(({ msg }) => String(msg).startsWith('Dropped'));
    expect(said).toMatchObject([
      { level: 'error', peer: 1, reason: 'oversized', bytes: full.byteLength + 1 },
      { level: 'error', peer: 1, reason: 'empty' },
      { level: 'warn', peer: 1, reason: 'queue-full', bytes: full.byteLength },
    ]);
  });

  test.each([0, 1, 2, 3])('replica %i stops, starts anew and is found by itself', async (down) => {
    const all = await principals(4);
    const nodes = [...keep(await startAll(all))];
    await Promise.all(nodes.map(({ mesh }) => mesh.ready()));
    await nodes[down]?.mesh.stop();
    const others = nodes.filter((_, id) => id !== down);
    await until('the others noticed', () =>
      others.every(({ mesh }) => !mesh.connected().includes(down)),
    );
    const back = await startNode(all, down);
    running.push(back);
    await Promise.all([back, ...others].map(({ mesh }) => mesh.ready()));
    expect(others[0]?.mesh.send(down, bytes('welcome back'))).toBe(true);
    await until('the frame arrived', () => back.received.length > 0);
    expect(others[0]?.peerEvents.slice(-2)).toEqual([`-${down}`, `+${down}`]);
  });

  test('nothing throws after stop, and stopping twice or waiting is harmless', async () => {
    const all = await principals(2);
    const [a, b] = keep(await startAll(all));
    if (a === undefined || b === undefined) throw new Error('two nodes');
    await Promise.all([a.mesh.ready(), b.mesh.ready()]);
    a.mesh.send(1, bytes('last words'));
    const waiting = expect(a.mesh.ready(9)).rejects.toBeInstanceOf(MeshStoppedError);
    const stops = [a.mesh.stop(), a.mesh.stop()];
    expect(a.mesh.send(1, bytes('too late'))).toBe(false);
    await Promise.all(stops);
    expect(a.mesh.send(1, bytes('too late'))).toBe(false);
    a.mesh.penalise(1, 'too late');
    expect(a.mesh.connected()).toEqual([]);
    await waiting;
    await expect(a.mesh.ready()).rejects.toBeInstanceOf(MeshStoppedError);
    // The peer writes into the closed stream until it notices.
    for (let k = 0; k < 50; k++) {
      b.mesh.send(0, bytes('anybody there?'));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(b.mesh.send(0, bytes('no'))).toBe(false);
    expect(b.mesh.send(4711, bytes('nobody'))).toBe(false);
  });

  test('ready ends with the signal of the caller', async () => {
    const node = await startNode(await principals(2), 0);
    keep([node]);
    const controller = new AbortController();
    const waiting = expect(node.mesh.ready(1, controller.signal)).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await waiting;
    await expect(node.mesh.ready(1, AbortSignal.abort(new Error('before')))).rejects.toThrow(
      'before',
    );
    await node.mesh.ready(0);
  });

  test('lets in whom it is told of later, and nobody whom it is told to drop', async () => {
    const all = await principals(4);
    const first = all.slice(0, 3);
    const nodes = keep(await startAll(first));
    await Promise.all(nodes.map(({ mesh }) => mesh.ready()));
    const late = await startNode(all, 3);
    keep([late]);
    const [stranger] = all.slice(3);
    if (stranger === undefined) throw new Error('four principals');
    for (const { mesh } of nodes) mesh.admit(stranger);
    await late.mesh.ready(3);
    expect(() =>
      nodes[0]?.mesh.admit({ ...stranger, publicKey: first[1]?.publicKey as Uint8Array }),
    ).toThrow('another public key');
    for (const { mesh } of nodes) mesh.drop(3, 'it has left');
    await until('it is alone', () => late.mesh.connected().length === 0);
    for (const { mesh } of nodes) expect(mesh.send(3, bytes('x'))).toBe(false);
    for (const { mesh } of nodes) mesh.admit(stranger);
    await late.mesh.ready(3);
  });

  test('a node that listens on port 0 says where it listens', async () => {
    const all = await principals(2);
    const node = await startNode(all, 0, { listen: '/ip4/127.0.0.1/tcp/0' });
    keep([node]);
    expect(node.mesh.addresses()).toEqual([
      expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*$/),
    ]);
  });
});

test('configurations that cannot work are refused with a reason', async () => {
  const all = await principals(3, 1);
  const [zero, one] = all;
  if (zero === undefined || one === undefined) throw new Error('three principals');
  const start = (changes: object): Promise<unknown> =>
    startMesh({ ...optionsOf(all, 0), ...changes });
  await expect(start({ self: 9 })).rejects.toThrow(MeshConfigError);
  await expect(start({ self: 1 })).rejects.toThrow('not that of principal 1');
  await expect(start({ principals: [zero, zero] })).rejects.toThrow('number 0');
  await expect(start({ principals: [zero, { ...zero, id: 1 }] })).rejects.toThrow('public key');
  await expect(start({ listen: undefined })).rejects.toThrow('listen');
  const { address: _, ...homeless } = one;
  await expect(start({ principals: [zero, homeless] })).rejects.toThrow('no address');
  const client = startMesh({ ...optionsOf(all, 65_536), listen: '/ip4/127.0.0.1/tcp/0' });
  await expect(client).rejects.toThrow('only dials');
});
