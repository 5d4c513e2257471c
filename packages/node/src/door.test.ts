/** Before the handshake: what strangers make a replica hold and do, and who gets in meanwhile. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Libp2p } from 'libp2p';
import { afterEach, describe, expect, test } from 'vitest';
import { noise } from '../test-support/beginnings.ts';
import {
  bytes,
  principals,
  seedOf,
  startNode,
  stopAll,
  type TestNode,
  until,
} from '../test-support/cluster.ts';
import { handCaller } from '../test-support/yamux.ts';
import { Door, networkOf } from './door.ts';
import { publicKeyOf } from './keys.ts';
import { DEFAULT_LIMITS, type MeshLimits } from './limits.ts';
import { encodePass, holderOf, PASS_BYTES, passMaker } from './pass.ts';
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
  await stopAll(running.splice(0));
  for (const node of raw.splice(0)) await node.stop();
});

const secretOf = (id: number, other: number, isCaller: boolean): Uint8Array =>
  passMaker(seedOf(id))(publicKeyOf(seedOf(other)), isCaller);

const goodPass = (): Uint8Array => encodePass(MEMBER, secretOf(MEMBER, 0, true));

function socketTo({ address }: Principal, first?: Uint8Array): Socket {
  const port = Number(address?.split('/').pop());
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  // Whoever does not read never hears of the end.
  socket.resume();
  if (first !== undefined) socket.write(first);
  sockets.push(socket);
  return socket;
}

const left = (): number => sockets.filter(({ destroyed }) => !destroyed).length;

async function victim(
  limits: NonNullable<Parameters<typeof startNode>[2]>['limits'],
): Promise<{ node: TestNode; all: readonly Principal[]; replica: Principal }> {
  const all = await principals(1, 2);
  const node = await startNode(all, 0, { limits: limits ?? {} });
  running.push(node);
  return { node, all, replica: all[0] as Principal };
}

/** The member that behaves gets in, and is heard. */
async function honestIsHeard(all: readonly Principal[], node: TestNode): Promise<void> {
  const honest = await startNode(all, HONEST);
  running.push(honest);
  await honest.mesh.ready();
  honest.mesh.send(0, bytes('hello'));
  await until('it is heard', () => node.received.some(({ text }) => text === 'hello'));
}

describe('a pass', () => {
  test('is the same for both sides, and another for each pair and direction', () => {
    const pass = secretOf(1, 2, true);
    expect(secretOf(2, 1, false)).toEqual(pass);
    for (const [id, other, isCaller] of [
      [1, 2, false],
      [1, 3, true],
      [3, 2, true],
    ] as const)
      expect(secretOf(id, other, isCaller)).not.toEqual(pass);
  });

  test('is told from other bytes as soon as they differ, cut anywhere', () => {
    const secret = secretOf(1, 2, true);
    const pass = encodePass(1, secret);
    const known = (id: number): Uint8Array | undefined => (id === 1 ? secret : undefined);
    for (let cut = 0; cut < PASS_BYTES; cut++)
      expect(holderOf(pass.subarray(0, cut), known)).toBe('more');
    expect(holderOf(pass, known)).toBe(1);
    expect(holderOf(encodePass(2, secret), known)).toBeUndefined();
    for (let at = 0; at < PASS_BYTES; at++) {
      const spoilt = Uint8Array.from(pass);
      spoilt[at] = (spoilt[at] as number) ^ 1;
      expect(holderOf(spoilt, known)).toBe(at < 4 ? 'none' : undefined);
    }
  });
});

test('handshakes of strangers wait, and a member does not', async () => {
  const { node, all, replica } = await victim({ strangersPerSecond: 0.001 });
  let answered = 0;
  for (let k = 0; k < 50; k++) {
    // The first message of Noise is a public key, and each costs its receiver an exchange.
    const first = Buffer.concat([noise, Buffer.from([0, 32]), new Uint8Array(32).fill(k + 1)]);
    socketTo(replica, first).on('data', (data) => {
      answered += data.length;
    });
  }
  await honestIsHeard(all, node);
  await until('they are ended', () => left() === 0);
  expect(answered).toBe(0);
  expect(node.mesh.stats().refused).toMatchObject({ stranger: 0, 'no-pass-in-time': 50 });
});

test('strangers are let in one after the other, so that other libp2p nodes may call', async () => {
  const { node, replica } = await victim({ strangersPerSecond: 50 });
  const { node: stranger, call } = await handCaller(seedOf(999));
  raw.push(stranger);
  for (let k = 0; k < 20; k++) socketTo(replica, noise);
  while (node.mesh.stats().refused.stranger === 0) await call(replica);
});

test('silent sockets take the room of each other, and no more', async () => {
  const { node, all, replica } = await victim({ pendingConnections: 20, upgradeTimeoutMs: 60_000 });
  for (let k = 0; k < 200; k++) socketTo(replica);
  await until('all but twenty were ended', () => left() === 20);
  expect(node.mesh.stats().refused['no-room']).toBe(180);
  await honestIsHeard(all, node);
});

test('a member has so many connections at a time, whatever it makes of them', async () => {
  const { node, all, replica } = await victim({ connectionsPerMember: 3 });
  for (let k = 0; k < 10; k++) socketTo(replica, goodPass());
  await until('all but three were ended', () => left() === 3);
  expect(node.mesh.stats().refused['pass-too-often']).toBe(7);
  await honestIsHeard(all, node);
  for (const socket of sockets.splice(0)) socket.destroy();
  await until('it is let in again', () => {
    if (left() === 0) socketTo(replica, goodPass());
    return sockets.splice(0, sockets.length - 1).length === 0 && left() === 1;
  });
});

test('a member that calls without end is ended before each handshake', async () => {
  const { node, all, replica } = await victim({ connectionsPerMemberPerSecond: 0.3 });
  for (let k = 0; k < 50; k++) {
    const socket = socketTo(replica, goodPass());
    await until('it is there', () => socket.readyState === 'open' || socket.destroyed);
    socket.destroy();
  }
  await until('most were refused', () => node.mesh.stats().refused['pass-too-often'] > 30);
  await honestIsHeard(all, node);
});

test('a pass of nobody gets what strangers get', async () => {
  const { node, replica } = await victim({ strangersPerSecond: 0.001, upgradeTimeoutMs: 500 });
  const forged = [encodePass(MEMBER, new Uint8Array(32)), encodePass(77, new Uint8Array(32))];
  for (const pass of forged) socketTo(replica, Buffer.concat([pass, noise]));
  await until('they are ended', () => left() === 0);
  expect(node.mesh.stats().refused).toMatchObject({ 'no-pass-in-time': 2, 'pass-too-often': 0 });
});

test('a pass may come in pieces', async () => {
  const { replica } = await victim({});
  const slow = socketTo(replica).setNoDelay();
  const pass = goodPass();
  for (let k = 0; k < PASS_BYTES; k++) {
    slow.write(pass.subarray(k, k + 1));
    if (k % 8 === 0) await until('it has left', () => slow.writableLength === 0);
  }
  let answered = 0;
  slow.on('data', (data) => {
    answered += data.length;
  });
  slow.write(Buffer.from('\x13/multistream/1.0.0\n'));
  await until('libp2p answers', () => answered > 0);
});

test('a mesh stops with a door full of those who wait', async () => {
  const { node, replica } = await victim({});
  for (let k = 0; k < 30; k++) socketTo(replica, k % 2 === 0 ? undefined : bytes('GET /'));
  await until('they stand', () => sockets.every(({ readyState }) => readyState === 'open'));
  await node.mesh.stop();
  await until('they are gone', () => left() === 0);
});

/** A door of its own, at which sockets stand under any address; who gets in is told. */
async function doorWith(limits: Partial<MeshLimits>): Promise<{
  readonly door: Door;
  readonly entered: string[];
  readonly refused: string[];
  knock(address: string, first?: Uint8Array): Promise<void>;
}> {
  const entered: string[] = [];
  const refused: string[] = [];
  const door = new Door(
    { ...DEFAULT_LIMITS, ...limits },
    {
      secretOf: () => undefined,
      refused: (reason, address) => void refused.push(`${reason} ${address}`),
    },
  );
  const server = createServer();
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    door,
    entered,
    refused,
    async knock(address, first) {
      const caller = connect(port, '127.0.0.1').on('error', () => {});
      sockets.push(caller);
      const [socket] = (await once(server, 'connection')) as [Socket];
      sockets.push(socket);
      Object.defineProperty(socket, 'remoteAddress', { value: address });
      door.arrive(socket, () => void entered.push(address));
      if (first !== undefined) caller.write(first);
    },
  };
}

test('addresses of strangers take turns: who floods stands behind itself', async () => {
  const { door, entered, knock } = await doorWith({ strangersPerSecond: 20 });
  for (let k = 0; k < 120; k++) await knock('203.0.113.7', noise);
  for (const other of ['198.51.100.1', '198.51.100.2']) await knock(other, noise);
  await until('both others are in', () => new Set(entered).size === 3);
  expect(entered.filter((each) => each === '203.0.113.7').length).toBeLessThan(100);
  door.close();
});

test('where there is no room the address with the most gives up one', async () => {
  const { door, refused, knock } = await doorWith({ pendingConnections: 10 });
  for (const other of ['198.51.100.1', '198.51.100.2']) await knock(other);
  for (let k = 0; k < 40; k++) await knock('203.0.113.7');
  expect(door.waiting).toBe(10);
  expect(refused).toEqual(Array.from({ length: 32 }, () => 'no-room 203.0.113.7'));
  door.close();
});

test('an address is an IPv4 address, or the network of an IPv6 address', () => {
  expect(networkOf('198.51.100.1')).toBe('198.51.100.1');
  expect(networkOf('::ffff:198.51.100.1')).toBe('198.51.100.1');
  const same = ['2001:db8:0:7::1', '2001:db8:0:7:8::', '2001:0db8:0000:0007:1:2:3:4'];
  expect(new Set(same.map(networkOf)).size).toBe(1);
  expect(networkOf('2001:db8:0:8::1')).not.toBe(networkOf('2001:db8:0:7::1'));
  expect(networkOf('fe80::1%eth0')).toBe(networkOf('fe80::2%eth1'));
  expect(networkOf('::1')).toBe('0'.repeat(16));
  expect(networkOf('::FFFF:c633:6401')).toBe('198.51.100.1');
  expect(networkOf('')).toBe('');
});
