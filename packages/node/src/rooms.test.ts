/** What all peers together make a process hold, here of what waits unsent: who has to make way. */
import fc from 'fast-check';
import type { Libp2p } from 'libp2p';
import { afterEach, expect, test } from 'vitest';
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
  type Channel,
  DATA,
  handCaller,
  line,
  opening,
  PING,
  SYN,
  WINDOW,
  yamux,
} from '../test-support/yamux.ts';
import { FIRST_CLIENT, isClient, type Principal } from './principal.ts';
import { Rooms } from './rooms.ts';

const running: TestNode[] = [];
const raw: Libp2p[] = [];

afterEach(async () => {
  for (const node of raw.splice(0)) {
    for (const connection of node.getConnections()) connection.abort(new Error('end of test'));
    await node.stop();
  }
  await stopAll(running.splice(0));
});

test('what waits stays below its bound, and only who holds the most of a room makes way', () => {
  const limits = { ofMembers: 1_000, ofOthers: 500 };
  const owners = [0, 1, 2, FIRST_CLIENT, FIRST_CLIENT + 1, FIRST_CLIENT + 2, undefined];
  const isMember = (owner: number | undefined) => owner !== undefined && !isClient(owner);
  const step = fc.record({
    place: fc.nat(2 * owners.length - 1),
    bytes: fc.integer({ min: 1, max: 400 }),
    drains: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      // Two places each, as a connection has its queue and its channel.
      const places = [...owners, ...owners].map((owner) => ({ owner, held: 0, ended: false }));
      const heldBy = (owner: number | undefined): number =>
        places.reduce((sum, each) => sum + (each.owner === owner ? each.held : 0), 0);
      let asking: number | undefined;
      const unsent = new Rooms(limits, (owner, lost) => {
        expect(owner).not.toBe(asking);
        expect(isMember(owner)).toBe(isMember(asking));
        for (const other of owners)
          if (isMember(other) === isMember(owner)) expect(heldBy(other)).toBeLessThanOrEqual(lost);
      });
      for (const each of places) {
        const end = (): void => {
          each.held = 0;
          each.ended = true;
        };
        unsent.watch({ owner: each.owner, bytes: () => each.held, end });
      }
      for (const { place, bytes: more, drains } of steps) {
        const at = places[place];
        if (at === undefined || at.ended) continue;
        asking = at.owner;
        if (drains) at.held = 0;
        else if (unsent.admits(at.owner, more)) at.held += more;
        const sum = (member: boolean): number =>
          owners.reduce<number>((all, id) => all + (isMember(id) === member ? heldBy(id) : 0), 0);
        expect(sum(true)).toBeLessThanOrEqual(limits.ofMembers);
        expect(sum(false)).toBeLessThanOrEqual(limits.ofOthers);
      }
    }),
    { numRuns: 200 },
  );
});

const LIARS = 3;
const HONEST = FIRST_CLIENT + LIARS;
const body = new Uint8Array(16 * 1024);

/** What liars do in each round that read nothing. */
const rows: Readonly<Record<string, (channel: Channel, round: number) => void>> = {
  'pings that are never read': (channel) =>
    channel.send(
      yamux(...Array.from({ length: 100 }, (_, length) => ({ type: PING, flags: SYN, length }))),
    ),
  'streams that are opened and not read': (channel, round) => {
    const stream = 3 + 2 * round;
    channel.send(
      yamux(
        { type: WINDOW, flags: SYN, stream },
        { type: DATA, stream, body: Buffer.concat([line('/multistream/1.0.0'), line('ls')]) },
      ),
    );
  },
  'answers that are never read': () => {},
};

test.each(Object.entries(rows))(
  '%s: below the bound, and the honest one gets all',
  async (...row) => {
    const [name, act] = row;
    const all = await principals(1, LIARS + 1);
    const limits = {
      queueBytesPerPeer: 1,
      unsentBytesOfOthers: 1,
      channelWriteBufferBytes: 2 ** 17,
    };
    const maxFrameBytes = 2 ** 20;
    const bound = maxFrameBytes + 64 + limits.channelWriteBufferBytes;
    const replica = await startNode(all, 0, { limits });
    const honest = await startNode(all, HONEST);
    running.push(replica, honest);
    await honest.mesh.ready();
    const callers = await Promise.all(
      Array.from({ length: LIARS }, (_, k) => handCaller(seedOf(FIRST_CLIENT + k))),
    );
    raw.push(...callers.map(({ node }) => node));
    const channels = await Promise.all(
      callers.map(async ({ call }, k) => {
        const channel = await call(all[0] as Principal);
        channel?.send(opening(FIRST_CLIENT + k, 0, 'hello'));
        return channel;
      }),
    );
    await until('all are admitted', () => replica.mesh.connected().length === LIARS + 1);
    for (const channel of channels) channel?.read(false);
    const rounds = 60;
    for (let round = 0; round < rounds; round++) {
      for (const channel of channels) if (channel !== undefined) act(channel, round);
      for (let k = 0; k < LIARS; k++) replica.mesh.send(FIRST_CLIENT + k, body);
      await until('the honest one has room', () => replica.mesh.send(HONEST, bytes(`${round}`)));
      await until('it takes that', () => honest.received.length === round + 1);
      expect(replica.mesh.stats().unsentBytes, name).toBeLessThanOrEqual(bound);
    }
    expect(honest.received.map(({ text }) => Number(text))).toEqual([...Array(rounds).keys()]);
    expect(replica.mesh.connected()).toContain(HONEST);
    // Somebody had to make way, or was ended for what it did.
    await until('a liar is ended', () => replica.mesh.stats().resets > 0);
    expect(replica.peerEvents.filter((event) => event === `-${HONEST}`)).toEqual([]);
  },
);
