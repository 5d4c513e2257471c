import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Libp2p } from 'libp2p';
import { afterEach, describe, expect, test } from 'vitest';
import {
  bytes,
  principals,
  seedOf,
  startNode,
  stopAll,
  type TestNode,
  until,
} from '../test-support/cluster.ts';
import { rawDial, rawFrame, rawMember, rawNode, rawStream } from '../test-support/hostile.ts';
import { createLogger } from './logging.ts';
import type { Principal } from './principal.ts';

const CLIENT = 65_536;
const running: TestNode[] = [];
const raw: Libp2p[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await stopAll(running.splice(0));
  for (const node of raw.splice(0)) {
    for (const connection of node.getConnections()) connection.abort(new Error('end of test'));
    await node.stop();
  }
});

async function hostile(seed: Uint8Array): Promise<Libp2p> {
  const node = await rawNode(seed);
  raw.push(node);
  return node;
}

/** One replica, and the list of principals with two clients, whose keys the tests misuse. */
async function victim(
  changes: Parameters<typeof startNode>[2] = {},
): Promise<{ node: TestNode; self: Principal; all: readonly Principal[] }> {
  const all = await principals(1, 2);
  const node = await startNode(all, 0, changes);
  running.push(node);
  return { node, self: all[0]!, all };
}

describe('a stranger with valid Noise', () => {
  test('reaches nothing, is closed at once, and is logged once', async () => {
    const lines: string[] = [];
    const logger = createLogger({ destination: { write: (line) => void lines.push(line) } });
    const { node, self } = await victim({ logger });
    const stranger = await hostile(seedOf(999));
    for (let k = 0; k < 5; k++) {
      const attempt = rawMember(stranger, CLIENT, self).then(({ stream }) => {
        stream.send(rawFrame(5, bytes('hello')));
        return stream;
      });
      await attempt.catch(() => undefined);
      await until('the connection is gone', () => stranger.getConnections().length === 0);
    }
    expect(node.received).toEqual([]);
    expect(node.peerEvents).toEqual([]);
    expect(node.mesh.stats()).toMatchObject({
      refused: { stranger: 5 },
      framesIn: 0,
      bytesIn: 0,
    });
    expect(lines.filter((line) => line.includes(stranger.peerId.toString()))).toHaveLength(1);
  });
});

describe('a member', () => {
  test('that goes on opening streams is cut off, and kept out for a while', async () => {
    const { node, self } = await victim();
    const member = await hostile(seedOf(CLIENT));
    const { connection, stream } = await rawMember(member, CLIENT, self);
    await until('it is admitted', () => node.mesh.connected().includes(CLIENT));
    while (stream.status === 'open') {
      await Promise.allSettled(Array.from({ length: 10 }, () => connection.newStream('/no/such')));
    }
    expect(node.mesh.connected()).toEqual([]);
    expect(node.mesh.stats().resets).toBe(1);
  });

  test('that claims the number of another is refused', async () => {
    const { node, self } = await victim();
    const member = await hostile(seedOf(CLIENT));
    const { stream } = await rawMember(member, CLIENT + 1, self);
    stream.send(rawFrame(5, bytes('false')));
    await until('the stream is reset', () => stream.status !== 'open');
    expect(node.received).toEqual([]);
    expect(node.peerEvents).toEqual([]);
    expect(node.mesh.stats()).toMatchObject({ resets: 1, framesIn: 0 });
  });

  test('that sends frames before its hello, or a second stream, is refused', async () => {
    const { node, self } = await victim({ limits: { banMs: 1 } });
    const member = await hostile(seedOf(CLIENT));
    const connection = await rawDial(member, self);
    const stream = await rawStream(connection);
    stream.send(rawFrame(5, bytes('early')));
    await until('the stream is reset', () => stream.status !== 'open');
    expect(node.received).toEqual([]);
    await sleep(10);
    const right = await rawMember(member, CLIENT, self);
    await until('it is admitted', () => node.mesh.connected().includes(CLIENT));
    const second = await rawStream(right.connection).catch(() => undefined);
    await until('the second stream is reset', () => second?.status !== 'open');
    right.stream.send(rawFrame(3, bytes('one')));
    await until('the frame arrives', () => node.received.length === 1);
    expect(node.received).toEqual([{ from: CLIENT, text: 'one' }]);
  });

  test('is known by its key, whatever it writes, and replaces its older connection', async () => {
    const { node, self } = await victim();
    const first = await rawMember(await hostile(seedOf(CLIENT)), CLIENT, self);
    await until('the first is admitted', () => node.mesh.connected().includes(CLIENT));
    const second = await rawMember(await hostile(seedOf(CLIENT)), CLIENT, self);
    await until('the first is reset', () => first.stream.status !== 'open');
    second.stream.send(rawFrame(3, bytes('two')));
    await until('the frame arrives', () => node.received.length === 1);
    expect(node.peerEvents).toEqual([`+${CLIENT}`, `-${CLIENT}`, `+${CLIENT}`]);
  });

  test('that announces a frame above the cap is reset and kept out for a while', async () => {
    const { node, self } = await victim({ limits: { banMs: 100 } });
    const member = await hostile(seedOf(CLIENT));
    // One at a time: a second one would replace the first, which counts as a reset too.
    let dialling = false;
    const dial = async (): Promise<void> => {
      dialling = true;
      await rawMember(member, CLIENT, self).catch(() => undefined);
      dialling = false;
    };
    for (const length of [2 ** 31 - 1, 2 ** 32 - 1, 1024 * 1024 + 1]) {
      await until('the ban is over and it is admitted again', () => {
        if (node.mesh.connected().includes(CLIENT)) return true;
        if (!dialling && member.getConnections().length === 0) void dial();
        return false;
      });
      const stream = member.getConnections().flatMap(({ streams }) => streams)[0]!;
      stream.send(rawFrame(length, new Uint8Array(1)));
      await until('the stream is reset', () => stream.status !== 'open');
    }
    expect(node.mesh.stats()).toMatchObject({ resets: 3, framesIn: 0 });
    expect(node.mesh.stats().refused.banned).toBeGreaterThan(0);
  });

  test('with lying prefixes below the cap makes the receiver hold under a megabyte', async () => {
    const { node, self } = await victim({ maxFrameBytes: 256 * 1024 * 1024 });
    const members = await Promise.all([hostile(seedOf(CLIENT)), hostile(seedOf(CLIENT + 1))]);
    const links = await Promise.all(members.map((m, k) => rawMember(m, CLIENT + k, self)));
    await until('both are admitted', () => node.mesh.connected().length === 2);
    const before = process.memoryUsage().arrayBuffers;
    for (const { stream } of links) stream.send(rawFrame(200_000_000, new Uint8Array(1)));
    await until('the prefixes arrived', () => node.mesh.stats().bytesIn >= 2 * 25);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  test('whose frames the upper layer finds invalid is cut off after some offences', async () => {
    const { node, self } = await victim({ limits: { offencesBeforeReset: 5 } });
    const member = await hostile(seedOf(CLIENT));
    const { stream } = await rawMember(member, CLIENT, self);
    await until('it is admitted', () => node.mesh.connected().includes(CLIENT));
    for (let k = 0; k < 4; k++) node.mesh.penalise(CLIENT, 'bad signature');
    expect(node.mesh.connected()).toEqual([CLIENT]);
    node.mesh.penalise(CLIENT, 'bad signature');
    node.mesh.penalise(CLIENT, 'bad signature');
    expect(node.mesh.connected()).toEqual([]);
    await until('the stream is reset', () => stream.status !== 'open');
    const again = rawMember(member, CLIENT, self).then(
      ({ stream: next }) => until('it is refused', () => next.status !== 'open'),
      () => undefined,
    );
    await again;
    expect(node.mesh.connected()).toEqual([]);
  });

  test('above its rate is held back, loses nothing and stays connected', async () => {
    const { node, self } = await victim({ limits: { framesPerSecond: 2_000 } });
    const { stream } = await rawMember(await hostile(seedOf(CLIENT)), CLIENT, self);
    await until('it is admitted', () => node.mesh.connected().includes(CLIENT));
    const frame = rawFrame(4, bytes('spam'));
    const burst = Buffer.concat(Array.from({ length: 500 }, () => frame));
    for (let k = 0; k < 6; k++) {
      stream.send(burst);
      await sleep(1);
    }
    await until('all arrived', () => node.received.length === 3_000);
    expect(node.mesh.stats().pauses).toBeGreaterThan(0);
    expect(node.mesh.connected()).toEqual([CLIENT]);
  });

  test('far above its rate is held back as well, whatever it has under way', async () => {
    const limits = { bytesPerSecond: 2 * 1024 * 1024, streamWindowBytes: 512 * 1024 };
    const { node, self } = await victim({ limits });
    const { stream } = await rawMember(await hostile(seedOf(CLIENT)), CLIENT, self);
    await until('it is admitted', () => node.mesh.connected().includes(CLIENT));
    const frame = rawFrame(60_000, new Uint8Array(60_000));
    const total = 60;
    for (let sent = 0; sent < total; await sleep(0)) {
      while (sent < total && stream.writeBufferLength === 0) {
        stream.send(frame);
        sent++;
      }
    }
    await until('all arrived', () => node.received.length === total);
    expect(node.mesh.stats().pauses).toBeGreaterThan(1);
    expect(node.peerEvents).toEqual([`+${CLIENT}`]);
  });

  test('that opens a thousand streams at once has only the capped number alive', async () => {
    const { node, self } = await victim({
      limits: { streamsPerSecond: 10_000, strayBytes: 2 ** 30, strayFrames: 2 ** 20 },
    });
    const member = await hostile(seedOf(CLIENT));
    const { connection, stream } = await rawMember(member, CLIENT, self);
    await until('it is admitted', () => node.mesh.connected().includes(CLIENT));
    const opened = await Promise.allSettled(
      Array.from({ length: 1_000 }, () =>
        connection.newStream('/no/such/protocol', { maxOutboundStreams: 100_000 }),
      ),
    );
    expect(opened.every(({ status }) => status === 'rejected')).toBe(true);
    const frames = await Promise.allSettled(
      Array.from({ length: 1_000 }, () => rawStream(connection)),
    );
    await until('the rest is reset', () => {
      const alive = frames.filter((f) => f.status === 'fulfilled' && f.value.status === 'open');
      return alive.length === 0;
    });
    expect(stream.status).toBe('open');
    stream.send(rawFrame(5, bytes('still')));
    await until('the first stream works', () => node.received.length === 1);
  });
});

test('silent sockets do not keep a replica out', async () => {
  const all = await principals(3);
  const nodes = await Promise.all(
    [0, 1].map((id) => startNode(all, id, { limits: { upgradeTimeoutMs: 1_000 } })),
  );
  running.push(...nodes);
  for (const { address } of all.slice(0, 2)) {
    const port = Number(address?.split('/').pop());
    for (let k = 0; k < 100; k++) sockets.push(connect(port, '127.0.0.1').on('error', () => {}));
  }
  await until('all sockets stand', () => sockets.every(({ readyState }) => readyState === 'open'));
  const late = await startNode(all, 2);
  running.push(late);
  await late.mesh.ready();
  expect(late.mesh.connected()).toEqual([0, 1]);
  // They are thrown out in the end.
  await until('silent sockets are closed', () => sockets.every(({ closed }) => closed));
});

test('a peer that takes no data is cut off, one that says nothing as well', async () => {
  const { node, self } = await victim({
    limits: { heartbeatMs: 50, stalledHeartbeats: 4, silentHeartbeats: 8, queueBytesPerPeer: 1e6 },
  });
  const member = await hostile(seedOf(CLIENT));
  const { stream } = await rawMember(member, CLIENT, self);
  await until('it is admitted', () => node.mesh.connected().includes(CLIENT));
  stream.pause();
  // It goes on to send heartbeats, so only the stall gives it away.
  const heart = setInterval(() => {
    if (stream.writeStatus === 'writable') stream.send(rawFrame(0, new Uint8Array(0)));
  }, 20);
  const pump = setInterval(() => node.mesh.send(CLIENT, new Uint8Array(64 * 1024)), 1);
  await until('it is cut off', () => node.mesh.connected().length === 0);
  clearInterval(pump);
  clearInterval(heart);
  const mute = await rawMember(member, CLIENT, self);
  await until('it is admitted again', () => node.mesh.connected().includes(CLIENT));
  await until('the mute peer is cut off', () => mute.stream.status !== 'open');
});
