/** Attacks below the messages: connections without frames, and frames without a reader. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger, generateSeed, publicKeyOf, startMesh } from '@quorumlab/node';
import type { Principal } from '../../../packages/node/src/principal.ts';
import { freePorts } from '../../../packages/node/test-support/cluster.ts';
import { rawFrame, rawMember, rawNode } from '../../../packages/node/test-support/hostile.ts';
import {
  DATA,
  handCaller,
  line,
  opening,
  PING,
  SYN,
  WINDOW,
  yamux,
} from '../../../packages/node/test-support/yamux.ts';
import type { specials } from './shared.ts';

/** Whom to attack and with what. */
export interface RawPlace {
  readonly replicas: readonly (Principal & { readonly address: string })[];
  readonly self: number;
  readonly secretKey: Uint8Array;
  /** Frames that ask for answers. */
  readonly frames: () => readonly Uint8Array[];
}

/** One attack, made ready. */
export interface RawAttack {
  readonly shoot: () => number | Promise<number>;
  readonly finish: () => void | Promise<void>;
}

/** Makes an attack ready. */
export function rawAttack(
  name: Exclude<(typeof specials)[number], 'zeros'>,
  place: RawPlace,
): Promise<RawAttack> {
  return attacks[name](place);
}

const attacks: Record<
  Exclude<(typeof specials)[number], 'zeros'>,
  (place: RawPlace) => Promise<RawAttack>
> = {
  control,
  strangers,
  'silent-sockets': silentSockets,
  'no-reader': (place) => asker(place),
  'slow-reader': (place) => asker(place, 100),
  pings,
  streams,
  crumbs: (place) => admitted(place, yamux(...Array.from({ length: 500 }, () => crumb))),
  heartbeats: (place) =>
    admitted(place, yamux({ type: DATA, stream: 1, body: new Uint8Array(4 * 4_096) })),
};

/** The least that yamux carries: a window that grows by nothing. */
const crumb = { type: WINDOW, stream: 1 };

/** Strangers in all: so many keys that nobody knows. */
const mostStrangers = 1_000;

/** Nobody is attacked: the same work, and all of it into a sink in this process. */
async function control(): Promise<RawAttack> {
  const seeds = [generateSeed(), generateSeed()] as const;
  const [port] = await freePorts(1);
  const address = `/ip4/127.0.0.1/tcp/${port}`;
  const principals = [
    { id: 0, publicKey: publicKeyOf(seeds[0]), address },
    { id: 65_536, publicKey: publicKeyOf(seeds[1]) },
  ];
  const common = { principals, maxFrameBytes: 2 ** 20, onFrame: () => {} };
  const logger = createLogger({ level: 'silent' });
  const sink = { ...common, secretKey: seeds[0], self: 0, listen: address, logger };
  const to = await startMesh(sink);
  const from = await startMesh({ ...common, secretKey: seeds[1], self: 65_536, logger });
  await from.ready();
  const frame = new Uint8Array(200);
  return {
    shoot: () => (from.send(0, frame) ? frame.length : 0),
    finish: async () => void (await Promise.all([from.stop(), to.stop()])),
  };
}

/** 50 at a time and 1,000 in all, each with a right handshake and a key that nobody knows. */
async function strangers({ replicas }: RawPlace): Promise<RawAttack> {
  const callers = await Promise.all(Array.from({ length: 8 }, () => handCaller(generateSeed())));
  let under = 0;
  let next = 0;
  return {
    async shoot() {
      if (under >= 50 || next >= mostStrangers) return sleep(1, 0);
      const caller = callers[next % callers.length];
      const replica = replicas[next++ % replicas.length];
      if (caller === undefined || replica === undefined) return 0;
      under++;
      void caller.call(replica).finally(() => under--);
      return 300;
    },
    finish: async () => void (await Promise.all(callers.map(({ node }) => node.stop()))),
  };
}

/** TCP connections that are kept open and say nothing, up to 1,000. */
function silentSockets({ replicas }: RawPlace): Promise<RawAttack> {
  const sockets: Socket[] = [];
  return Promise.resolve({
    async shoot() {
      if (sockets.length >= 1_000) await sleep(5);
      if (sockets.length >= 1_000) sockets.shift()?.destroy();
      const { address } = replicas[sockets.length % replicas.length] as RawPlace['replicas'][0];
      const socket = connect(Number(address.split('/').at(-1)), '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
      await sleep(1);
      return 1;
    },
    finish() {
      for (const socket of sockets) socket.destroy();
    },
  });
}

/**
 * Asks and asks, and reads nothing; or a little every so many milliseconds, so that it is never
 * one that has stalled.
 */
async function asker(
  { replicas, self, secretKey, frames }: RawPlace,
  readsEveryMs?: number,
): Promise<RawAttack> {
  const node = await rawNode(secretKey);
  const asked = frames().map((frame) => rawFrame(frame.length, frame));
  const streams = new Map<number, Awaited<ReturnType<typeof rawMember>>['stream']>();
  let next = 0;
  const sip = (): void => {
    for (const stream of streams.values()) {
      if (stream.status !== 'open') continue;
      stream.resume();
      setImmediate(() => stream.status === 'open' && stream.pause());
    }
  };
  const sips = readsEveryMs === undefined ? undefined : setInterval(sip, readsEveryMs);
  return {
    async shoot() {
      const replica = replicas[next % replicas.length];
      const frame = asked[next++ % asked.length];
      if (replica === undefined || frame === undefined) return 0;
      let stream = streams.get(replica.id);
      if (stream === undefined || stream.status !== 'open') {
        const made = await rawMember(node, self, replica).catch(() => undefined);
        if (made === undefined) return sleep(20, 0);
        await sleep(20);
        stream = made.stream;
        if (stream.status === 'open') stream.pause();
        streams.set(replica.id, stream);
      }
      if (stream.status !== 'open' || stream.writableNeedsDrain) return sleep(1, 0);
      try {
        stream.send(frame);
      } catch {
        return 0;
      }
      return frame.length;
    },
    finish() {
      clearInterval(sips);
      return void node.stop();
    },
  };
}

/** Pings by the hundred, and no answer to them is ever read. */
function pings(place: RawPlace): Promise<RawAttack> {
  return unread(place, () =>
    yamux(...Array.from({ length: 100 }, (_, length) => ({ type: PING, flags: SYN, length }))),
  );
}

/** Streams that are opened and asked for the list of protocols, which is never read. */
function streams(place: RawPlace): Promise<RawAttack> {
  let stream = 1;
  const body = Buffer.concat([line('/multistream/1.0.0'), line('ls')]);
  return unread(place, () => {
    stream += 2;
    return yamux({ type: WINDOW, flags: SYN, stream }, { type: DATA, stream, body });
  });
}

/** The same bytes again and again, behind a right hello; what comes back is read. */
async function admitted(place: RawPlace, said: Uint8Array): Promise<RawAttack> {
  return unread(place, () => said, true);
}

/** Says `next` again and again to each replica as one that it knows, and reads nothing, or all. */
async function unread(
  { replicas, self, secretKey }: RawPlace,
  next: () => Uint8Array,
  reads = false,
): Promise<RawAttack> {
  const { node, call } = await handCaller(secretKey);
  const channels = new Map<number, Awaited<ReturnType<typeof call>>>();
  let turn = 0;
  return {
    async shoot() {
      const replica = replicas[turn++ % replicas.length];
      if (replica === undefined) return 0;
      let channel = channels.get(replica.id);
      if (channel?.isOpen() !== true) {
        channel = await call(replica).catch(() => undefined);
        await sleep(10);
        channel?.send(opening(self, replica.id, 'hello'));
        channel?.read(reads);
        channels.set(replica.id, channel);
      }
      const bytes = next();
      channel?.send(bytes);
      return channel?.isOpen() === true ? bytes.length : sleep(5, 0);
    },
    finish: () => void node.stop(),
  };
}
