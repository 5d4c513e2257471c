/** Bytes and silence from the socket up: what strangers, and members at odd moments, may try. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Libp2p } from 'libp2p';
import { afterEach, expect, test } from 'vitest';
import {
  beginnings,
  header,
  noise,
  randomBeginning,
  repeated,
} from '../test-support/beginnings.ts';
import {
  type Child,
  chance,
  endChildren,
  startEcho,
  stillAnswers,
} from '../test-support/child-of.ts';
import type { TestNode } from '../test-support/cluster.ts';
import { bytes, principals, seedOf, startNode, stopAll, until } from '../test-support/cluster.ts';
import { rawFrame } from '../test-support/hostile.ts';
import {
  type Channel,
  DATA,
  handCaller,
  line,
  opening,
  SYN,
  WINDOW,
  yamux,
} from '../test-support/yamux.ts';
import { createLogger } from './logging.ts';
import { PeerAccounts } from './peer-account.ts';
import type { Principal } from './principal.ts';

const MEMBER = 65_536;
const HONEST = 65_537;
const running: TestNode[] = [];
const raw: Libp2p[] = [];
const sockets: Socket[] = [];
const servers: Server[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  endChildren();
  await stopAll(running.splice(0));
  for (const node of raw.splice(0)) await node.stop();
});

const portOf = ({ address }: Principal): number => Number(address?.split('/').pop());

function socketTo(replica: Principal): Socket {
  const socket = connect(portOf(replica), '127.0.0.1').on('error', () => {});
  sockets.push(socket);
  return socket;
}

async function memberOf(replica: Principal): Promise<() => Promise<Channel>> {
  const { node, call } = await handCaller(seedOf(MEMBER));
  raw.push(node);
  return async () => {
    const channel = await call(replica);
    if (channel === undefined) throw new Error('the replica took no connection');
    return channel;
  };
}

const endings = [
  (socket: Socket) => socket.end(),
  (socket: Socket) => socket.destroy(),
  (socket: Socket) => socket.resetAndDestroy(),
] as const;

const firstSeed = Number(process.env.QUORUMLAB_SEED ?? Date.now() % 1_000_000);
const runs = process.env.QUORUMLAB_LONG_TESTS === '1' ? 5_000 : 120;

test('no bytes of strangers end a replica, or keep it from others', {
  timeout: 300_000,
}, async () => {
  const all = await principals(1, 2);
  const [replica] = all as [Principal];
  const victim = startEcho(all, 0);
  const honest = await startNode(all, HONEST);
  running.push(honest);
  await honest.mesh.ready();
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const draw = chance(seed);
    const socket = socketTo(replica);
    socket.write(beginnings[seed - firstSeed] ?? randomBeginning(draw));
    const end = endings[draw(endings.length)] ?? endings[0];
    if (draw(3) > 0) setTimeout(() => end(socket), draw(20));
    if (seed % 20 === 0) await stillAnswers(victim, honest, 0, `QUORUMLAB_SEED=${seed}`);
  }
  await stillAnswers(victim, honest, 0, 'and still');
  expect(honest.peerEvents).toEqual(['+0']);
});

test('no bytes of whoever listens in the place of a replica end those who call it', async () => {
  const all = await principals(2, 1);
  const [liar] = all as [Principal];
  let seed = firstSeed;
  const server = createServer((socket) => {
    const draw = chance(seed);
    const k = seed++ - firstSeed;
    sockets.push(socket.on('error', () => {}));
    socket.write(beginnings[k] ?? randomBeginning(draw));
    const end = endings[draw(endings.length)] ?? endings[0];
    setTimeout(() => end(socket), draw(10));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(portOf(liar), '127.0.0.1', resolve));
  const friend = await startNode(all.slice(1), 1);
  running.push(friend);
  const child: Child = startEcho(all, MEMBER);
  await until('many calls were answered with nonsense', () => {
    if (child.process.exitCode !== null) throw new Error(`ended by QUORUMLAB_SEED=${seed - 1}`);
    return seed - firstSeed > 40;
  });
  await until('the friend is there', () => friend.mesh.connected().includes(MEMBER));
  await stillAnswers(child, friend, MEMBER, 'and still');
});

test('a stranger who asks for protocols without end gets little, and is ended', async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({ destination: { write: (l) => void lines.push(JSON.parse(l)) } });
  const all = await principals(1);
  running.push(await startNode(all, 0, { logger }));
  const socket = socketTo(all[0] as Principal);
  let answered = 0;
  socket.on('data', (data) => {
    answered += data.length;
  });
  socket.write(Buffer.concat([header, repeated(line('ls'), 16_000)]));
  await until('it is ended', () => socket.destroyed);
  expect(answered).toBeLessThan(16 * 1024);
  expect(lines.map(({ reason }) => String(reason))).toContainEqual(
    expect.stringContaining('before the end of the handshake'),
  );
});

test.each([
  ['asks for protocols without end', opening(MEMBER, 0, 'stream'), 1, repeated(line('ls'), 9_000)],
  ['fills streams beside its frames', opening(MEMBER, 0, 'hello'), 3, new Uint8Array(200_000)],
])('a member that %s is ended and kept out', async (_what, begin, stream, body) => {
  const all = await principals(1, 1);
  const victim = await startNode(all, 0, { maxFrameBytes: 256 * 1024 * 1024 });
  running.push(victim);
  const channel = await (await memberOf(all[0] as Principal))();
  channel.send(begin);
  if (stream !== 1) channel.send(yamux({ type: WINDOW, flags: SYN, stream }));
  const before = channel.received();
  channel.send(yamux({ type: DATA, stream, body }));
  await until('it is ended', () => !channel.isOpen());
  expect(channel.received() - before).toBeLessThan(16 * 1024);
  expect(victim.mesh.stats().resets).toBe(1);
});

test('a member above its rate of yamux frames waits, and loses nothing', async () => {
  const all = await principals(1, 1);
  const victim = await startNode(all, 0, { limits: { muxerFramesPerSecond: 1_000 } });
  running.push(victim);
  const channel = await (await memberOf(all[0] as Principal))();
  channel.send(opening(MEMBER, 0, 'hello'));
  await until('it is admitted', () => victim.mesh.connected().includes(MEMBER));
  const nothing = { type: WINDOW, stream: 1 };
  channel.send(yamux(...Array.from({ length: 1_300 }, () => nothing)));
  channel.send(yamux({ type: DATA, stream: 1, body: rawFrame(4, bytes('last')) }));
  await until('the frame arrives', () => victim.received.length === 1);
  expect(victim.mesh.stats().pauses).toBeGreaterThan(0);
  expect(victim.mesh.connected()).toEqual([MEMBER]);
});

test.each([
  ['windows of nothing', 'protocol', { type: WINDOW, stream: 1 }, 'before the hello'],
  ['data without a byte', 'protocol', { type: DATA, stream: 1 }, 'before the hello'],
  ['windows of other streams', 'hello', { type: WINDOW, stream: 3 }, 'on other streams'],
  ['data of other streams', 'hello', { type: DATA, stream: 9 }, 'on other streams'],
] as const)(
  'a member that says nothing by the thousand is ended: %s',
  async (_, moment, frame, why) => {
    const all = await principals(1, 1);
    const accounts = new PeerAccounts();
    const victim = await startNode(all, 0, { accounts });
    running.push(victim);
    const channel = await (await memberOf(all[0] as Principal))();
    channel.send(opening(MEMBER, 0, moment));
    // Before the end of the handshake it would be ended for its bytes.
    await until('it is answered', () => channel.received() > 0);
    if (moment === 'hello')
      await until('it is admitted', () => victim.mesh.connected().includes(MEMBER));
    for (let k = 0; k < 20 && channel.isOpen(); k++)
      channel.send(yamux(...Array.from({ length: 100 }, () => frame)));
    await until('it is ended', () => !channel.isOpen());
    await until('it is said why', () => accounts.of(MEMBER).lastReset?.includes(why) === true);
  },
);

test('heartbeats by the thousand hold up whoever sends them, and none but it', async () => {
  const all = await principals(1, 2);
  const victim = await startNode(all, 0);
  const other = await startNode(all, MEMBER + 1);
  running.push(victim, other);
  await other.mesh.ready();
  const channel = await (await memberOf(all[0] as Principal))();
  channel.send(opening(MEMBER, 0, 'hello'));
  await until('it is admitted', () => victim.mesh.connected().includes(MEMBER));
  const before = victim.mesh.stats();
  // 4,096 of them are read at once; then it is its turn no more for as long as they should take.
  const heartbeats = yamux({ type: DATA, stream: 1, body: new Uint8Array(4 * 4_096) });
  // No more than its window holds.
  for (let k = 0; k < 12; k++) channel.send(heartbeats);
  await until('it is held', () => victim.mesh.stats().pauses > before.pauses);
  other.mesh.send(0, bytes('other'));
  await until('the other is heard', () => victim.received.length === 1);
  expect(victim.mesh.connected()).toEqual([MEMBER, MEMBER + 1]);
});

test('a member that sends a frame byte by byte is ended before it costs much', async () => {
  const all = await principals(1, 1);
  const victim = await startNode(all, 0);
  running.push(victim);
  const call = await memberOf(all[0] as Principal);
  const channel = await call();
  channel.send(opening(MEMBER, 0, 'hello'));
  await until('it is admitted', () => victim.mesh.connected().includes(MEMBER));
  const frame = yamux({ type: DATA, stream: 1, body: new Uint8Array(20_000) });
  for (let k = 0; k < frame.byteLength && channel.isOpen(); k++) {
    channel.send(frame.subarray(k, k + 1));
    if (k % 100 === 0) await sleep(0);
  }
  await until('it is ended', () => !channel.isOpen());
  expect(victim.mesh.stats()).toMatchObject({ resets: 1, bytesIn: expect.any(Number) });
});

test('a connection that drips is ended, at whatever moment', async () => {
  const all = await principals(1, 1);
  const victim = await startNode(all, 0, { limits: { dripsPerSecond: 1 } });
  running.push(victim);
  // All that a caller says passes here, and from a given byte on one byte at a time.
  const drip = createServer((socket) => {
    const out = socketTo(all[0] as Principal).setNoDelay();
    let said = 0;
    let line = Promise.resolve();
    socket
      .on('error', () => {})
      .on('data', (data) => {
        if (typeof data === 'string') return;
        line = line.then(async () => {
          for (let k = 0; k < data.length; k++) {
            if (said++ < 500) out.write(data.subarray(k, k + 1));
            else await sleep(1).then(() => out.write(data.subarray(k, k + 1)));
          }
        });
      });
    out.on('data', (data) => void socket.write(data)).on('close', () => socket.destroy());
    sockets.push(socket);
  });
  servers.push(drip);
  await new Promise<void>((resolve) => drip.listen(0, '127.0.0.1', resolve));
  const { port } = drip.address() as AddressInfo;
  const [replica, client] = all as [Principal, Principal];
  const address = `/ip4/127.0.0.1/tcp/${port}`;
  const caller = await startNode([{ ...replica, address }, client], MEMBER);
  running.push(caller);
  await until('it is ended', () => {
    caller.mesh.send(0, new Uint8Array(1000));
    return victim.mesh.stats().resets > 0;
  });
});

test('connections reset in the middle of everything leave nothing behind', async () => {
  const all = await principals(1, 1);
  const limits = { banMs: 1, connectionsPerMemberPerSecond: 10_000 };
  const victim = await startNode(all, 0, { limits });
  running.push(victim);
  const call = await memberOf(all[0] as Principal);
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const storm = async (): Promise<void> => {
    for (let k = 0; k < 30; k++) {
      const channel = await call().catch(() => undefined);
      if (k % 3 === 1) channel?.send(opening(MEMBER, 0, 'protocol'));
      if (k % 3 === 2) await sleep(k % 5);
      channel?.abort();
    }
    await until('all are gone', () => victim.mesh.connected().length === 0);
  };
  const before = timers();
  await storm();
  await until('no timer is left', () => timers() <= before + 5);
});

test('a mesh stops in the middle of a storm, without an error', async () => {
  const all = await principals(1, 1);
  const victim = await startNode(all, 0);
  const call = await memberOf(all[0] as Principal);
  const first = await call();
  first.send(opening(MEMBER, 0, 'hello'));
  const storm = Array.from({ length: 12 }, () => call().catch(() => undefined));
  for (let k = 0; k < 10; k++) socketTo(all[0] as Principal).write(beginnings[k] ?? noise);
  await Promise.race(storm);
  await victim.mesh.stop();
  await Promise.all(storm);
  expect(victim.mesh.connected()).toEqual([]);
});
