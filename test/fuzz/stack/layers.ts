/** The layers of the stack from the socket up, and how each is fed inputs that are wrong. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Random } from '@quorumlab/core';
import { type Mesh, type Principal, startMesh } from '@quorumlab/node';
import { randomBeginning } from '../../../packages/node/test-support/beginnings.ts';
import { optionsOf, seedOf, until } from '../../../packages/node/test-support/cluster.ts';
import { rawFrame } from '../../../packages/node/test-support/hostile.ts';
import {
  answer,
  type Channel,
  DATA,
  handCaller,
  handNode,
  opening,
  yamux,
  yamuxNonsense,
} from '../../../packages/node/test-support/yamux.ts';
import { bend } from '../targets.ts';
import { tolerant } from './group.ts';
import type { Liar } from './liar.ts';

/** Whom a layer is aimed at. */
export interface Scene {
  readonly all: readonly Principal[];
  /** The honest replicas. */
  readonly targets: readonly number[];
  liar(self: number): Liar;
}

/** One layer under one key. */
export interface Layer {
  readonly name: string;
  /** Of all inputs, relative to the others: connections are dear, frames are cheap. */
  readonly share: number;
  /** After so many inputs an honest request has to be answered. */
  readonly perBatch: number;
  /** Its frames are a member's word: what becomes of a group that trusts members is open. */
  readonly lies?: true;
  begin(scene: Scene): Promise<Feeding>;
}

/** A layer at work. */
export interface Feeding {
  feed(random: Random, inputs: number): Promise<void>;
  end(): Promise<void>;
}

const drawOf = (random: Random) => (limit: number) => random.below(limit);
const one = <T>(of: readonly T[], random: Random): T => of[random.below(of.length)] as T;
const portOf = (scene: Scene, id: number): number =>
  Number(
    scene.all
      .find((each) => each.id === id)
      ?.address?.split('/')
      .pop(),
  );
const replicaOf = (scene: Scene, random: Random): Principal =>
  scene.all.find(({ id }) => id === one(scene.targets, random)) ?? (scene.all[0] as Principal);

/** Ends a connection in one of the ways that there are. */
function endSocket(socket: Socket, random: Random): void {
  const way = random.below(3);
  if (way === 0) socket.end();
  else if (way === 1) socket.destroy();
  else socket.resetAndDestroy();
}

/** Bytes of strangers, before anything is proven. */
const sockets: Layer = {
  name: 'bytes of a stranger',
  share: 10,
  perBatch: 50,
  begin: async (scene) => ({
    async feed(random, inputs) {
      const gone: Promise<unknown>[] = [];
      for (let k = 0; k < inputs; k++) {
        const socket = connect(portOf(scene, one(scene.targets, random)), '127.0.0.1');
        gone.push(new Promise((resolve) => socket.on('close', resolve).on('error', () => {})));
        const first = randomBeginning(drawOf(random));
        socket.write(random.below(3) === 0 ? bend(first, random) : first);
        if (random.below(3) === 0) socket.end();
        else setTimeout(() => endSocket(socket, random), random.below(8));
      }
      await Promise.race([Promise.all(gone), sleep(500)]);
    },
    end: async () => {},
  }),
};

/** A right caller whose bytes are bent on the way, in one place: handshake, muxer or frames. */
const between = (from: number, who: string): Layer => ({
  name: `handshakes of ${who}, bent on the way`,
  share: 1,
  perBatch: 10,
  async begin(scene) {
    let target = 0;
    let random: Random | undefined;
    const server: Server = createServer((socket) => {
      const draw = random as Random;
      const out = connect(portOf(scene, target), '127.0.0.1').on('error', () => {});
      let left = draw.below(6);
      const pass = (to: Socket) => (data: Buffer | string) => {
        if (typeof data === 'string' || to.destroyed) return;
        to.write(left-- === 0 ? bend(Uint8Array.from(data), draw) : data);
        if (left < -1 && draw.below(4) === 0) endSocket(socket, draw);
      };
      socket.on('error', () => {}).on('data', pass(out));
      out.on('data', (data) => void (socket.destroyed || socket.write(data)));
      socket.on('close', () => out.destroy());
      out.on('close', () => socket.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { node, call } = await handCaller(seedOf(from));
    return {
      async feed(draw, inputs) {
        random = draw;
        for (let k = 0; k < inputs; k++) {
          const replica = replicaOf(scene, draw);
          target = replica.id;
          const dialled = call({ ...replica, address: `/ip4/127.0.0.1/tcp/${port}` });
          const channel = await Promise.race([dialled, sleep(100, undefined)]);
          channel?.send(opening(from, target, 'hello'));
          channel?.abort();
        }
      },
      async end() {
        server.close();
        await node.stop();
      },
    };
  },
});

const moments = ['channel', 'stream', 'protocol', 'hello'] as const;

/** What follows a right beginning: yamux by nobody's rules, or frames of wrong lengths. */
function spoilt(random: Random, liar: Liar, isAdmitted: boolean): Uint8Array {
  if (!isAdmitted || random.below(2) === 0) return yamuxNonsense(drawOf(random));
  const frames = Array.from({ length: 1 + random.below(4) }, () => {
    const frame = liar.message(random).subarray(0, 2_000);
    return rawFrame(random.below(8) === 0 ? random.below(2 ** 32) : frame.byteLength, frame);
  });
  const body = bend(Uint8Array.from(Buffer.concat(frames)), random);
  return yamux({ type: DATA, stream: 1, body: body.subarray(0, 60_000) });
}

/** Connections with a good key, on which everything above Noise is written by hand. */
const channels = (from: number, who: string): Layer => ({
  name: `yamux and lengths of ${who}`,
  share: 4,
  perBatch: 25,
  async begin(scene) {
    const { node, call } = await handCaller(seedOf(from));
    const liar = scene.liar(from);
    return {
      async feed(random, inputs) {
        for (let k = 0; k < inputs; k++) {
          const replica = replicaOf(scene, random);
          const channel = await call(replica);
          const moment = one(moments, random);
          if (moment !== 'channel') channel?.send(opening(from, replica.id, moment));
          for (let left = random.below(3); left >= 0; left--)
            channel?.send(spoilt(random, liar, moment === 'hello'));
          if (random.below(3) === 0) await turn();
          // Some stay until they are ended, or replaced by the next.
          if (random.below(4) > 0) channel?.abort();
        }
      },
      async end() {
        for (const connection of node.getConnections()) connection.abort(new Error('the end'));
        await node.stop();
      },
    };
  },
});

/** A liar that is called, by clients and by replicas, and answers them by hand. */
const called = (self: number): Layer => ({
  name: 'yamux and lengths of a member that is called',
  share: 2,
  perBatch: 25,
  async begin(scene) {
    const liar = scene.liar(self);
    let random: Random | undefined;
    let answered = 0;
    const onChannel = (channel: Channel): void => {
      const draw = random;
      if (draw === undefined) return channel.abort();
      answered++;
      const moment = one(moments, draw);
      const say = (): void => {
        if (moment === 'hello') channel.send(answer(self, one(scene.targets, draw)));
        channel.send(spoilt(draw, liar, moment === 'hello'));
        setTimeout(() => channel.abort(), draw.below(5));
      };
      if (moment === 'channel') say();
      else channel.onData(say);
    };
    const address = scene.all.find(({ id }) => id === self)?.address;
    const node = await handNode(seedOf(self), onChannel, address);
    return {
      async feed(draw, inputs) {
        random = draw;
        const enough = answered + inputs;
        await until('the victim calls the liar', () => answered >= enough, 12_000);
      },
      async end() {
        for (const connection of node.getConnections()) connection.abort(new Error('the end'));
        await node.stop();
      },
    };
  },
});

/** Frames of right lengths on a link that stands. */
const frames = (
  from: number,
  who: string,
  what: 'envelopes' | 'messages',
  share: number,
  lies: boolean,
): Layer => ({
  name: `${what} of ${who}`,
  ...(lies ? { lies } : {}),
  share,
  perBatch: 500,
  async begin(scene) {
    const liar = scene.liar(from);
    const mesh: Mesh = await startMesh({ ...optionsOf(scene.all, from), limits: tolerant });
    return {
      async feed(random, inputs) {
        for (let k = 0; k < inputs; k++) {
          const frame = what === 'messages' ? liar.message(random) : liar.bent(random);
          const to = one(scene.targets, random);
          // Of nothing no frame can be made; lengths that lie are another layer's.
          if (frame.byteLength === 0) continue;
          // Cut off for what it said before, it calls again.
          await until(`replica ${to} is connected`, () => mesh.send(to, frame), 12_000);
          if (k % 50 === 49) await turn();
        }
      },
      end: () => mesh.stop(),
    };
  },
});

/** All layers, for a liar with the keys of client `client` and replica `member`. */
export const layersOf = (client: number, member: number): readonly Layer[] => [
  sockets,
  between(client, 'a client'),
  channels(client, 'a client'),
  frames(client, 'a client', 'envelopes', 500, false),
  frames(client, 'a client', 'messages', 250, false),
  between(member, 'a member'),
  channels(member, 'a member'),
  called(member),
  frames(member, 'a member', 'envelopes', 500, true),
  frames(member, 'a member', 'messages', 250, true),
];
