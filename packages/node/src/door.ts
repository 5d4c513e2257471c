/**
 * Stands between the listening socket and libp2p. A handshake costs milliseconds, and libp2p begins
 * one with everybody; here a connection costs an accept and a few bytes until it has shown the pass
 * of a principal (`pass.ts`). Who has none is a stranger, or another implementation of libp2p:
 * those get so many handshakes a second together, and wait meanwhile, which holds back whoever
 * calls again as soon as it is refused. Their addresses take turns, and where there is no room the
 * address that has the most connections gives up one: who floods stands in its own way.
 */
import { isIPv6, type Server, type Socket } from 'node:net';
import type { Transport } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { toHex } from '@quorumlab/core';
import type { MeshLimits } from './limits.ts';
import { holderOf, PASS_BYTES } from './pass.ts';
import { now } from './time.ts';
import { TokenBucket } from './token-bucket.ts';

/** Why a connection did not get to its handshake. */
export type DoorRefusal = 'no-room' | 'no-pass-in-time' | 'pass-too-often';

/** Whom a door knows, and whom it tells. */
export interface DoorHost {
  /** The secret that the pass of `caller` holds, if it may call here. */
  secretOf(caller: number): Uint8Array | undefined;
  /** A connection is ended; `caller` is missing unless its pass was good. */
  refused(reason: DoorRefusal, address: string, caller: number | undefined): void;
}

interface Waiting {
  readonly socket: Socket;
  readonly address: string;
  readonly enter: () => void;
  readonly timer: NodeJS.Timeout;
  bytes: Uint8Array;
  readonly stop: () => void;
}

interface Caller {
  readonly bucket: TokenBucket;
  open: number;
}

/**
 * Who may have taken an address: of IPv6 whoever has a network of 64 bits, which is the least that
 * is given to anybody (RFC 6177). IPv4 inside IPv6 is IPv4.
 */
export function networkOf(address: string): string {
  const [host = ''] = address.split('%');
  if (!isIPv6(host)) return host;
  // Behind the code of the protocol, which has one byte.
  const bytes = multiaddr(`/ip6/${host}`).bytes.subarray(1);
  return toHex(bytes).startsWith(ipv4Inside)
    ? bytes.subarray(12).join('.')
    : toHex(bytes.subarray(0, 8));
}

/** How an IPv6 address begins that is an IPv4 address. */
const ipv4Inside = '00000000000000000000ffff';

/** Connections by address; those of one stand behind each other. No address has an empty line. */
class Lines {
  readonly #lines = new Map<string, Set<Waiting>>();
  #size = 0;

  /** Connections of all addresses. */
  get size(): number {
    return this.#size;
  }

  has(waiting: Waiting): boolean {
    return this.#lines.get(waiting.address)?.has(waiting) ?? false;
  }

  add(waiting: Waiting): void {
    const line = this.#lines.get(waiting.address);
    if (line === undefined) this.#lines.set(waiting.address, new Set([waiting]));
    else line.add(waiting);
    this.#size++;
  }

  delete(waiting: Waiting): void {
    const line = this.#lines.get(waiting.address);
    if (!line?.delete(waiting)) return;
    this.#size--;
    if (line.size === 0) this.#lines.delete(waiting.address);
  }

  *all(): Generator<Waiting, void> {
    for (const line of [...this.#lines.values()]) yield* [...line];
  }

  /** The longest waiting of the address whose turn it is; the address goes behind the others. */
  next(): Waiting | undefined {
    const [first] = this.#lines;
    if (first === undefined) return undefined;
    const [address, line] = first;
    this.#lines.delete(address);
    this.#lines.set(address, line);
    return line.values().next().value;
  }

  /** The longest waiting of the address that has the most. */
  oldestOfLongest(): Waiting | undefined {
    let longest: Set<Waiting> | undefined;
    for (const line of this.#lines.values())
      if (longest === undefined || line.size > longest.size) longest = line;
    return longest?.values().next().value;
  }
}

/** See the module's comment. */
export class Door {
  readonly #limits: MeshLimits;
  readonly #host: DoorHost;
  /** By address, each in the order of their coming: what has waited longest makes room. */
  readonly #waiting = new Lines();
  /** Those of them that have shown other bytes than a pass; the next address is the first. */
  readonly #strangers = new Lines();
  readonly #callers = new Map<number, Caller>();
  readonly #bucket: TokenBucket;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(limits: MeshLimits, host: DoorHost) {
    this.#limits = limits;
    this.#host = host;
    const { strangersPerSecond } = limits;
    this.#bucket = new TokenBucket(strangersPerSecond, 2 * strangersPerSecond, now());
  }

  /** Connections that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** A connection was accepted; `enter` gives it to libp2p. */
  arrive(socket: Socket, enter: () => void): void {
    // It may end at any moment, and libp2p does not listen yet.
    socket.on('error', () => {});
    if (this.#closed) return void socket.destroy();
    if (this.#waiting.size >= this.#limits.pendingConnections) {
      const longest = this.#waiting.oldestOfLongest();
      if (longest !== undefined) this.#refuse(longest, 'no-room');
    }
    const onReadable = (): void => this.#look(waiting);
    const onClose = (): void => this.#leave(waiting);
    const limitMs = this.#limits.upgradeTimeoutMs;
    const waiting: Waiting = {
      socket,
      address: networkOf(socket.remoteAddress ?? ''),
      enter,
      bytes: new Uint8Array(0),
      timer: setTimeout(() => this.#refuse(waiting, 'no-pass-in-time'), limitMs),
      stop: () => socket.off('readable', onReadable).off('close', onClose),
    };
    this.#waiting.add(waiting);
    socket.on('readable', onReadable).on('close', onClose);
  }

  /** Ends what waits, and lets nobody in any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const waiting of this.#waiting.all()) {
      this.#leave(waiting);
      waiting.socket.destroy();
    }
  }

  #look(waiting: Waiting): void {
    if (this.#strangers.has(waiting)) return;
    const wanted = PASS_BYTES - waiting.bytes.byteLength;
    const length = Math.min(wanted, waiting.socket.readableLength);
    const read: unknown = length > 0 ? waiting.socket.read(length) : null;
    // Nothing is there, or the end is: of that `close` tells.
    if (!(read instanceof Uint8Array)) return void waiting.socket.read(0);
    waiting.bytes = Uint8Array.from(Buffer.concat([waiting.bytes, read]));
    const caller = holderOf(waiting.bytes, (id) => this.#host.secretOf(id));
    if (caller === 'more') return;
    if (typeof caller === 'number') return this.#admit(waiting, caller);
    // A pass that is not good here is a stranger's: Noise tells who that is, for the log.
    if (caller === undefined) waiting.bytes = new Uint8Array(0);
    // Nothing more is read of it for now: TCP holds it back.
    this.#strangers.add(waiting);
    this.#serve();
  }

  #admit(waiting: Waiting, id: number): void {
    const { connectionsPerMemberPerSecond: perSecond, connectionsPerMember } = this.#limits;
    let caller = this.#callers.get(id);
    if (caller === undefined) {
      caller = { bucket: new TokenBucket(perSecond, 10 * perSecond, now()), open: 0 };
      this.#callers.set(id, caller);
    }
    if (caller.open >= connectionsPerMember || !caller.bucket.tryTake(now()))
      return this.#refuse(waiting, 'pass-too-often', id);
    const mine = caller;
    mine.open++;
    waiting.socket.once('close', () => mine.open--);
    this.#letIn(waiting, new Uint8Array(0));
  }

  /** Lets strangers in as fast as they may come: addresses in turn, the longest waiting first. */
  #serve(): void {
    while (this.#strangers.size > 0 && this.#bucket.tryTake(now())) {
      const waiting = this.#strangers.next();
      if (waiting !== undefined) this.#letIn(waiting, waiting.bytes);
    }
    if (this.#strangers.size === 0 || this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#serve();
      },
      Math.max(1, 1000 / this.#limits.strangersPerSecond),
    );
  }

  #letIn(waiting: Waiting, bytes: Uint8Array): void {
    const { socket } = waiting;
    this.#leave(waiting);
    if (socket.destroyed) return;
    if (bytes.byteLength > 0) socket.unshift(bytes);
    try {
      waiting.enter();
    } catch {
      // libp2p throws when it has stopped listening meanwhile, and there is nobody to catch it.
      socket.destroy();
    }
  }

  #leave(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    waiting.stop();
    this.#waiting.delete(waiting);
    this.#strangers.delete(waiting);
  }

  #refuse(waiting: Waiting, reason: DoorRefusal, caller?: number): void {
    this.#leave(waiting);
    this.#host.refused(reason, waiting.socket.remoteAddress ?? '', caller);
    waiting.socket.resetAndDestroy();
  }
}

/** The same transport, whose listeners leave every connection to `arrive` first. */
export function behindDoor<C>(
  make: (components: C) => Transport,
  arrive: (socket: Socket, enter: () => void) => void,
  close: () => void,
): (components: C) => Transport {
  return (components) => {
    const transport = make(components);
    const { createListener } = transport;
    transport.createListener = (options) => {
      const listener = createListener.call(transport, options);
      const server = serverOf(listener);
      const handlers = server.listeners('connection');
      server.removeAllListeners('connection');
      server.on('connection', (socket: Socket) => {
        arrive(socket, () => {
          for (const handle of handlers) Reflect.apply(handle, server, [socket]);
        });
      });
      const { close: closeListener } = listener;
      listener.close = (...rest) => {
        // Else the listener would wait for the end of connections that it does not know.
        close();
        return closeListener.apply(listener, rest);
      };
      return listener;
    };
    return transport;
  };
}

/** Left without a door it would be open to every stranger, so there is no going on without it. */
function serverOf(listener: object): Server {
  const isServer = (one: unknown): one is Server =>
    typeof one === 'object' && one !== null && 'listeners' in one && 'listening' in one;
  const server = 'server' in listener ? listener.server : undefined;
  if (!isServer(server)) throw new TypeError('This part of libp2p cannot be guarded: no server.');
  return server;
}
