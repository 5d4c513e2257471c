/** Bytes below the frames: whatever a peer with a good key writes there, nobody's process ends. */
import type { Libp2p } from 'libp2p';
import { afterEach, describe, expect, test } from 'vitest';
import { chance, endChildren, startEcho, stillAnswers } from '../test-support/child-of.ts';
import {
  bytes,
  principals,
  seedOf,
  startNode,
  stopAll,
  type TestNode,
  until,
} from '../test-support/cluster.ts';
import {
  ACK,
  answer,
  type Channel,
  DATA,
  FIN,
  GO_AWAY,
  handCaller,
  handNode,
  opening,
  PING,
  RST,
  SYN,
  WINDOW,
  type YamuxFrame,
  yamux,
  yamuxNonsense,
} from '../test-support/yamux.ts';
import { publicKeyOf } from './keys.ts';
import { createLogger } from './logging.ts';
import { dials } from './members.ts';
import type { Principal } from './principal.ts';
import { peerIdOf } from './transport.ts';

const LIAR = 65_536;
const HONEST = 65_537;
const running: TestNode[] = [];
const raw: Libp2p[] = [];

afterEach(async () => {
  endChildren();
  await stopAll(running.splice(0));
  for (const node of raw.splice(0)) {
    for (const connection of node.getConnections()) connection.abort(new Error('end of test'));
    await node.stop();
  }
});

const body = new Uint8Array(16);
const far = 2 ** 32 - 1;

/** Frames that no honest yamux writes in its place, or not that many of them. */
const wrong: Readonly<Record<string, readonly YamuxFrame[]>> = {
  'version 1': [{ version: 1, type: PING, flags: SYN }],
  'version 255': [{ version: 255, type: 255, flags: 65_535, stream: far, length: far }],
  'type 4': [{ type: 4 }],
  'type 4 on a stream': [{ type: 4, stream: 1 }],
  'type 255': [{ type: 255, flags: SYN, stream: 3 }],
  'a ping without a flag': [{ type: PING }],
  'a ping with all flags': [{ type: PING, flags: SYN | ACK | FIN | RST }],
  'a ping on a stream': [{ type: PING, flags: SYN, stream: 1 }],
  'an answer to no ping': [{ type: PING, flags: ACK, length: 77 }],
  'pings, then rubbish': [
    ...Array.from({ length: 8 }, (_, k) => ({ type: PING, flags: SYN, length: k })),
    { version: 9, type: 9 },
  ],
  'a stream of the wrong side': [{ type: WINDOW, flags: SYN, stream: 2 }],
  'a stream of the other wrong side': [{ type: WINDOW, flags: SYN, stream: 3 }],
  'data on stream 0': [{ type: DATA, body }],
  'a window for stream 0': [{ type: WINDOW, length: 1 }],
  'data for a stream that is not there': [{ type: DATA, stream: 99, body }],
  'a stream that is opened twice': [
    { type: WINDOW, flags: SYN, stream: 1 },
    { type: WINDOW, flags: SYN, stream: 1 },
  ],
  'a stream that is opened, closed and reset at once': [
    { type: DATA, flags: SYN | FIN | RST, stream: 5, body },
    { type: DATA, flags: RST, stream: 1, body },
  ],
  'the end of a stream, and then more of it': [
    { type: DATA, flags: FIN, stream: 1, body },
    { type: DATA, stream: 1, body },
  ],
  'a reset of the stream': [{ type: WINDOW, flags: RST, stream: 1 }],
  'window upon window': Array.from({ length: 64 }, () => ({
    type: WINDOW,
    stream: 1,
    length: far,
  })),
  'windows of nothing': Array.from({ length: 64 }, () => ({ type: WINDOW, stream: 1 })),
  'streams that are opened and reset at once': [3, 5, 7, 9].flatMap((stream) => [
    { type: WINDOW, flags: SYN, stream },
    { type: WINDOW, flags: RST, stream },
  ]),
  'a stream whose number is the last one': [{ type: WINDOW, flags: SYN, stream: far }],
  'more than the window': [{ type: DATA, stream: 1, body: new Uint8Array(300 * 1024) }],
  'a length of 4 GiB': [{ type: DATA, stream: 1, length: far, body }],
  'going away': [{ type: GO_AWAY }],
  'going away for an error': [
    { type: GO_AWAY, length: 1 },
    { type: PING, flags: SYN },
  ],
  'going away twice, and staying': [
    { type: GO_AWAY, length: 2 },
    { type: GO_AWAY, length: far },
    { type: WINDOW, flags: SYN, stream: 7 },
  ],
  'half a header': [],
  // Zeros are heartbeats, here more of them than the rate allows.
  'more than the rate, the end, and more': [
    { type: DATA, stream: 1, body: new Uint8Array(8_000) },
    { type: DATA, flags: FIN, stream: 1, body },
    { type: DATA, stream: 1, body },
  ],
  'more than the rate, again and again, and a reset': [
    ...Array.from({ length: 8 }, () => ({ type: DATA, stream: 1, body: new Uint8Array(8_000) })),
    { type: DATA, flags: RST, stream: 1, body },
    { type: GO_AWAY },
  ],
};

const wrongBytes = (kind: string): Uint8Array =>
  kind === 'half a header' ? new Uint8Array(7) : yamux(...(wrong[kind] ?? []));

const moments = ['channel', 'stream', 'protocol', 'hello'] as const;
const isLong = process.env.QUORUMLAB_LONG_TESTS === '1';
const randomRuns = isLong ? 2_000 : 30;

type Attempt = readonly [string, (typeof moments)[number], Uint8Array];

/** Everything that is tried, one connection each: a name, what is said before, and the bytes. */
function* attempts(): Generator<Attempt> {
  for (const [k, kind] of Object.keys(wrong).entries()) {
    // The ordinary run tries each kind at two moments of the four.
    const at = isLong ? moments : moments.filter((_, m) => m === 3 || m === k % 3);
    for (const moment of at) yield [`${kind}, ${moment}`, moment, wrongBytes(kind)];
  }
  const first = Number(process.env.QUORUMLAB_SEED ?? Date.now() % 1_000_000);
  for (let seed = first; seed < first + randomRuns; seed++) {
    const draw = chance(seed);
    const moment = moments[draw(moments.length)] ?? 'channel';
    yield [`random bytes, QUORUMLAB_SEED=${seed}, ${moment}`, moment, yamuxNonsense(draw)];
  }
}

test('no bytes of a client with a good key end a replica, or keep it from others', {
  timeout: 300_000,
}, async () => {
  const all = await principals(1, 2);
  const [replica] = all as [Principal];
  const victim = startEcho(all, 0);
  const honest = await startNode(all, HONEST);
  running.push(honest);
  await honest.mesh.ready();
  const { node, call } = await handCaller(seedOf(LIAR));
  raw.push(node);
  for (const [text, moment, wrongOnes] of attempts()) {
    const channel = await call(replica);
    if (moment !== 'channel') channel?.send(opening(LIAR, 0, moment));
    channel?.send(wrongOnes);
    await stillAnswers(victim, honest, 0, text);
    channel?.abort();
  }
  expect(honest.peerEvents).toEqual(['+0']);
});

/** A liar with the key of replica `liar` that answers each caller with the next attempt. */
async function listeningLiar(
  liar: Principal,
  victim: number,
  source: Iterator<Attempt>,
): Promise<{ tried: string[] }> {
  const tried: string[] = [];
  const onChannel = (channel: Channel): void => {
    const next = source.next();
    if (next.done === true) return;
    const [text, moment, wrongOnes] = next.value;
    tried.push(text);
    if (moment === 'channel') channel.send(wrongOnes);
    else
      channel.onData(() => {
        if (moment === 'hello') channel.send(answer(liar.id, victim));
        channel.send(wrongOnes);
      });
    // What the other side did not end ends here, so that it calls again.
    setTimeout(() => channel.abort(), 10);
  };
  raw.push(await handNode(seedOf(liar.id), onChannel, liar.address));
  return { tried };
}

test.each([
  { who: 'a client', replicas: 2, victim: 65_536, liar: 0, honest: 1 },
  { who: 'a calling replica', replicas: 3, ...callers([0, 1, 2]) },
])('no bytes of a lying replica end $who', { timeout: 300_000 }, async (roles) => {
  const { replicas, victim, liar, honest } = roles;
  const all = await principals(replicas, 1);
  const friend = await startNode(all, honest);
  running.push(friend);
  // Calling is the same code in both, so the ordinary run tries less on the second.
  const tries = [...attempts()].filter((_, k) => isLong || victim === LIAR || k % 3 === 0);
  const { tried } = await listeningLiar(all[liar] as Principal, victim, tries.values());
  const child = startEcho(all, victim);
  await friend.mesh.ready(replicas === 2 ? 0 : 1);
  await until(
    'all has been tried',
    () => {
      if (child.process.exitCode !== null) throw new Error(`${tried.at(-1)}: ended the process`);
      return tried.length >= tries.length;
    },
    300_000,
  );
  await until('the friend is there', () => friend.mesh.connected().includes(victim));
  await stillAnswers(child, friend, victim, 'and still');
});

/** Which of three replicas calls two others, and those. */
function callers(ids: readonly number[]): { victim: number; liar: number; honest: number } {
  const named = ids.map((id) => ({ id, name: peerIdOf(publicKeyOf(seedOf(id))).toString() }));
  const [victim, liar, honest] = named.sort((a, b) => (dials(a, b) ? -1 : 1)).map(({ id }) => id);
  return { victim: victim ?? 0, liar: liar ?? 0, honest: honest ?? 0 };
}

test('wrong frames are held against the member that sent them, and named', async () => {
  const lines: string[] = [];
  const logger = createLogger({ destination: { write: (text) => void lines.push(text) } });
  const all = await principals(1, 1);
  const victim = await startNode(all, 0, { logger });
  running.push(victim);
  const { node, call } = await handCaller(seedOf(LIAR));
  raw.push(node);
  const channel = await call(all[0] as Principal);
  channel?.send(opening(LIAR, 0, 'hello'));
  await until('it is admitted', () => victim.mesh.connected().includes(LIAR));
  channel?.send(wrongBytes('a length of 4 GiB'));
  await until('it is cut off', () => victim.mesh.connected().length === 0);
  expect(victim.mesh.stats()).toMatchObject({ resets: 1 });
  expect(lines.some((text) => text.includes(`"peer":${LIAR}`) && text.includes('4294967295'))).toBe(
    true,
  );
  await until('its channel is closed', () => channel?.isOpen() === false);
  const again = await call(all[0] as Principal);
  await until('it is kept out', () => again?.isOpen() !== true);
  expect(victim.mesh.stats().refused.banned).toBeGreaterThan(0);
});

describe('connections of one key that replace each other', () => {
  test('do not end the replica, the last one is admitted, and others are answered', async () => {
    const all = await principals(1, 2);
    const [replica] = all as [Principal];
    const victim = startEcho(all, 0);
    const honest = await startNode(all, HONEST);
    running.push(honest);
    await honest.mesh.ready();
    const { node, call } = await handCaller(seedOf(LIAR));
    raw.push(node);
    const silent = await call(replica);
    silent?.send(opening(LIAR, 0, 'protocol'));
    await until('its stream stands', () => (silent?.received() ?? 0) > 40);
    const speaking = await call(replica);
    speaking?.send(opening(LIAR, 0, 'hello'));
    await until('the silent one is replaced', () => silent?.isOpen() === false);
    await stillAnswers(victim, honest, 0, 'one replaced the other');
    for (let round = 0; round < 4; round++) {
      const storm = await Promise.all(Array.from({ length: 25 }, () => call(replica)));
      storm.forEach((channel, k) => {
        channel?.send(opening(LIAR, 0, moments[1 + (k % 3)] as 'stream'));
        if (k % 5 === 0) channel?.abort();
      });
      await stillAnswers(victim, honest, 0, `storm ${round}`);
    }
    expect(honest.peerEvents).toEqual(['+0']);
  });
});

test('a bug of our own, in what is done with a frame, still ends the process', async () => {
  const all = await principals(1, 1);
  const victim = startEcho(all, 0);
  const client = await startNode(all, LIAR);
  running.push(client);
  await client.mesh.ready();
  client.mesh.send(0, bytes('fail'));
  await until('it has ended', () => victim.process.exitCode !== null);
  expect(victim.process.exitCode).not.toBe(0);
});
