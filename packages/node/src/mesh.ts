import type { Connection, PeerId, Stream } from '@libp2p/interface';
import { admitPublicKey } from '@quorumlab/wire';
import type { Libp2p } from 'libp2p';
import { type ChannelGuard, channelGuard } from './channel-guard.ts';
import type { DialFault } from './dial-fault.ts';
import { keepDialled, withoutPeerId } from './dialling.ts';
import { Door } from './door.ts';
import { Inquiries } from './inquiry.ts';
import { publicKeyOf } from './keys.ts';
import { limitsOf, type MeshLimits } from './limits.ts';
import { type Counters, hangUp, Link, type LinkHost } from './link.ts';
import type { Logger } from './logging.ts';
import { dials, type Member, Members, memberOf } from './members.ts';
import { checkOptions, MeshConfigError, type MeshOptions, notListening } from './mesh-options.ts';
import { type Mesh, type MeshStats, MeshStoppedError } from './mesh-port.ts';
import { type NoticeFields, Notices } from './notices.ts';
import { encodePass, passMaker } from './pass.ts';
import { countReason, noteReset, PeerAccounts, type PeerHoldings } from './peer-account.ts';
import { isClient, type Principal } from './principal.ts';
import { Readiness } from './readiness.ts';
import { Rooms } from './rooms.ts';
import { now } from './time.ts';
import { FRAME_PROTOCOL, peerIdOf, startTransport } from './transport.ts';
import { Turns } from './turns.ts';

/**
 * Joins the cluster: listens (a replica), dials those it has to dial, and keeps dialling. Resolves
 * when the node listens, not when peers are connected; see {@link Mesh.ready}. Throws
 * {@link MeshConfigError} for a configuration that cannot work, and `KeyError` for a principal's
 * public key that must not be used.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  checkOptions(options);
  const host = new MeshHost(options);
  try {
    await host.start();
  } catch (error) {
    throw notListening(options.listen, error);
  }
  return host;
}

class MeshHost implements Mesh, LinkHost {
  readonly self: number;
  readonly maxFrameBytes: number;
  readonly limits: MeshLimits;
  readonly unsent: Rooms;
  readonly unread: Rooms;
  readonly turns: Turns = new Turns();
  readonly counters: Counters = {
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    dropped: { 'not-connected': 0, oversized: 0, empty: 0, 'queue-full': 0 },
    pauses: 0,
    resets: 0,
  };
  readonly #inquiries: Inquiries;
  readonly #options: MeshOptions;
  readonly #accounts: PeerAccounts;
  readonly #logger: Logger;
  readonly #notices: Notices;
  readonly #members: Members;
  readonly #guard: ChannelGuard;
  readonly #door: Door;
  /** What the passes of those who call this node hold, and the passes for those whom it calls. */
  readonly #secrets = new Map<number, Uint8Array>();
  readonly #passes = new Map<string, Uint8Array>();
  readonly #me: { readonly id: number; readonly name: string };
  readonly #makePass: ReturnType<typeof passMaker>;
  readonly #toDial = new Set<Member>();
  readonly #stopping = new AbortController();
  /** Links in any state but closed. */
  readonly #links = new Set<Link>();
  /** When each connection was there first, on this process's own clock. */
  readonly #seen = new WeakMap<Connection, number>();
  /** Admitted links. */
  readonly #byId = new Map<number, Link>();
  readonly #readiness = new Readiness(() => this.#replicas());
  readonly #dialling = new Set<Promise<void>>();
  #ticker: NodeJS.Timeout | undefined;
  #node: Libp2p | undefined;

  constructor(options: MeshOptions) {
    this.self = options.self;
    this.maxFrameBytes = options.maxFrameBytes;
    this.limits = limitsOf(options);
    const { limits } = this;
    this.unsent = new Rooms(
      { ofMembers: limits.unsentBytesOfMembers, ofOthers: limits.unsentBytesOfOthers },
      (owner, bytes) => this.#makesWay(owner, 'it takes the least of what is sent to all', bytes),
    );
    this.unread = new Rooms(
      { ofMembers: limits.unreadBytesOfMembers, ofOthers: limits.unreadBytesOfOthers },
      (owner, bytes) => this.#makesWay(owner, 'the most of all that is unread is of it', bytes),
    );
    this.#options = options;
    this.#accounts = options.accounts ?? new PeerAccounts();
    this.#logger = options.logger;
    this.#notices = new Notices(options.logger);
    this.#inquiries = new Inquiries({
      accounts: this.#accounts,
      asksPerSecond: this.limits.asksPerSecond,
      answer: options.answer,
      send: (to, frame) => this.send(to, frame),
    });
    this.#me = { id: this.self, name: peerIdOf(publicKeyOf(options.secretKey)).toString() };
    this.#makePass = passMaker(options.secretKey);
    this.#members = new Members(this.limits, this.#notices, this.#accounts);
    this.#guard = channelGuard(this.limits, {
      faulty: (peer, address, reason) => this.#faulty(peer, address, reason),
      paused: () => this.counters.pauses++,
      unsent: this.unsent,
      unread: this.unread,
      ownerOf: (peer) => this.#members.byPeerId(peer)?.principal.id,
    });
    for (const each of options.principals) if (each.id !== this.self) this.#enrol(each);
    this.#door = new Door(this.limits, {
      secretOf: (caller) => this.#secrets.get(caller),
      refused: (reason, address, caller) => this.#members.refusedAtDoor(reason, address, caller),
    });
  }

  admit(principal: Principal): void {
    const { id, publicKey, address } = principal;
    const before = id === this.self ? undefined : this.#members.byId(id);
    if (id === this.self || this.#stopping.signal.aborted) return;
    if (before !== undefined && Buffer.compare(before.principal.publicKey, publicKey) === 0) return;
    if (before !== undefined)
      throw new MeshConfigError(`Principal ${id} is known with another public key.`);
    if (!isClient(id) && address === undefined)
      throw new MeshConfigError(`Replica ${id} has no address; only clients may lack one.`);
    admitPublicKey(publicKey, `principal ${id}`);
    const member = this.#enrol(principal);
    this.#notices.note('info', { peer: id }, 'A peer is let in from now on.');
    if (this.#node !== undefined && this.#toDial.has(member)) this.#beginToDial(this.#node, member);
  }

  drop(id: number, reason: string): void {
    const member = this.#members.byId(id);
    if (member === undefined) return;
    this.#members.remove(member);
    this.#secrets.delete(id);
    this.#passes.delete(member.name);
    this.#toDial.delete(member);
    this.#notices.note('info', { peer: id, reason }, 'A peer is not let in any more.');
    // Also one that is only being greeted.
    for (const link of this.#links) if (link.member === member) link.abort(reason);
    member.gone.abort();
  }

  /** Whose pass is known, and whom this node calls, follows from who there is. */
  #enrol(principal: Principal): Member {
    const account = this.#accounts.of(principal.id);
    const member = memberOf(principal, this.#me, this.limits, account);
    const { name, dialsUs } = member;
    this.#members.add(member);
    if (dialsUs) this.#secrets.set(principal.id, this.#makePass(principal.publicKey, false));
    if (!dials(this.#me, { id: principal.id, name })) return member;
    this.#toDial.add(member);
    this.#passes.set(name, encodePass(this.self, this.#makePass(principal.publicKey, true)));
    return member;
  }

  #beginToDial(node: Libp2p, member: Member): void {
    const dialling = keepDialled(node, member, {
      limits: this.limits,
      signal: AbortSignal.any([this.#stopping.signal, member.gone.signal]),
      logger: this.#logger,
      begin: (stream, connection) => this.#begin(new Link(this, member, stream, connection, true)),
    }).finally(() => this.#dialling.delete(dialling));
    this.#dialling.add(dialling);
  }

  deliver(from: number, frame: Uint8Array): void {
    if (!this.#inquiries.takes(from, frame)) this.#options.onFrame(from, frame);
  }

  ask(id: number, limitMs: number): Promise<Uint8Array> {
    return this.#inquiries.ask(id, limitMs);
  }

  faultOf(id: number): DialFault | 'waits-for-it' | undefined {
    const member = this.#members.byId(id);
    if (member === undefined || this.#byId.has(id)) return undefined;
    return this.#toDial.has(member) ? member.fault : 'waits-for-it';
  }

  readonly schedule = (callback: () => void): void => queueMicrotask(callback);

  async start(): Promise<void> {
    const { principals, listen, secretKey } = this.#options;
    const node = await startTransport({
      secretKey,
      listen,
      principals: principals.length + (this.#options.moreToCome ?? 0),
      gater: this.#members.gater(),
      limits: this.limits,
      guard: this.#guard,
      door: this.#door,
      passFor: (peer) => this.#passes.get(peer),
    });
    this.#node = node;
    if (!isClient(this.self)) {
      // Not async: the listeners must be on before the handler returns.
      const accept = (stream: Stream, connection: Connection): void => {
        this.#accept(stream, connection);
      };
      await node.handle(FRAME_PROTOCOL, accept, { maxInboundStreams: 1, maxOutboundStreams: 1 });
    }
    this.#ticker = setInterval(() => this.#tick(), this.limits.heartbeatMs);
    for (const member of this.#toDial) this.#beginToDial(node, member);
  }

  send(to: number, frame: Uint8Array): boolean {
    const link = this.#byId.get(to);
    const reason = link === undefined ? 'not-connected' : link.send(frame);
    if (reason === undefined) return true;
    this.counters.dropped[reason]++;
    const member = this.#members.byId(to);
    if (member !== undefined) countReason(member.account.dropped, reason);
    // That a peer is away was said when it went.
    if (link === undefined || reason === 'not-connected') return false;
    const fields = { peer: to, reason, bytes: frame.byteLength };
    if (reason === 'queue-full') {
      const text = 'Dropped a frame for a peer: it takes less than it is sent.';
      this.#notices.note('warn', { ...fields, queuedBytes: link.queuedBytes }, text);
    } else {
      const text = 'Dropped a frame: it is empty, or larger than this node or the peer takes.';
      this.#notices.note('error', { ...fields, maxFrameBytes: link.maxFrameBytes }, text);
    }
    return false;
  }

  penalise(id: number, reason: string): void {
    const member = this.#members.byId(id);
    if (member === undefined || !this.#members.offend(member, false)) return;
    this.#notices.note('warn', { peer: id, reason }, 'Cut off a peer after repeated offences.');
    this.counters.resets++;
    noteReset(member.account, reason);
    this.#byId.get(id)?.abort(reason);
  }

  busyMs(id: number): number {
    return this.#options.busyMs?.(id) ?? 0;
  }

  connected(): readonly number[] {
    return [...this.#byId.keys()].sort((a, b) => a - b);
  }

  ready(count?: number, signal?: AbortSignal): Promise<void> {
    const replicas = [...this.#members.all()].filter((m) => !isClient(m.principal.id)).length;
    return this.#readiness.wait(count ?? replicas, signal);
  }

  addresses(): readonly string[] {
    const addresses = this.#node?.getMultiaddrs() ?? [];
    return addresses.map((address) => withoutPeerId(address.toString()));
  }

  async stop(): Promise<void> {
    this.#stopping.abort(stoppedError());
    clearInterval(this.#ticker);
    this.#readiness.stop(stoppedError());
    this.#inquiries.stop();
    for (const link of this.#links) {
      link.flush();
      link.abort('stopping');
    }
    // A graceful close of a connection takes libp2p half a second.
    for (const connection of this.#node?.getConnections() ?? []) connection.abort(stoppedError());
    await this.#node?.stop();
    await Promise.all(this.#dialling);
    this.#notices.stop();
  }

  stats(): MeshStats {
    let queuedBytes = 0;
    for (const link of this.#links) queuedBytes += link.queuedBytes;
    const { counters, unsent, unread } = this;
    const refused = { ...this.#members.refused };
    const dropped = { ...counters.dropped };
    const bytes = { queuedBytes, unsentBytes: unsent.bytes, unreadBytes: unread.bytes };
    return { ...counters, dropped, refused, ...bytes };
  }

  holdings(id: number): Omit<PeerHoldings, 'waitingFrames' | 'waitingBytes'> {
    const member = this.#members.byId(id);
    const open = member === undefined ? [] : (this.#node?.getConnections(member.peerId) ?? []);
    return {
      connections: open.length,
      streams: open.reduce((sum, { streams }) => sum + streams.length, 0),
      queuedBytes: this.#byId.get(id)?.queuedBytes ?? 0,
      bannedMilliseconds: Math.max(0, Math.round((member?.bannedUntil ?? 0) - now())),
    };
  }

  admitted(link: Link): void {
    this.#guard.admit(link.connection);
    const { id } = link.member.principal;
    const old = this.#byId.get(id);
    if (old !== undefined) old.abort('replaced by a newer connection');
    this.#byId.set(id, link);
    link.member.fault = undefined;
    for (const connection of this.#node?.getConnections(link.member.peerId) ?? []) {
      if (connection !== link.connection) hangUp(connection, 'replaced by a newer connection');
    }
    const fields = { peer: id, direction: link.direction };
    this.#notices.note('info', fields, 'A peer is connected.');
    this.#options.onPeer?.(id, true);
    this.#readiness.look();
  }

  violated(link: Link, reason: string): void {
    this.counters.resets++;
    noteReset(link.member.account, reason);
    this.#members.offend(link.member, true);
    const fields = { peer: link.member.principal.id, reason };
    this.#notices.note('warn', fields, 'Reset the link to a peer.');
  }

  closed(link: Link, reason: string, unsentBytes: number): void {
    const { id } = link.member.principal;
    this.#links.delete(link);
    if (this.#byId.get(id) !== link) return;
    this.#byId.delete(id);
    this.#inquiries.gone(id);
    const ms = Math.round(now() - (link.admittedAt ?? now()));
    const { direction } = link;
    const fields = { peer: id, direction, reason, connectedMs: ms, unsentBytes };
    this.#notices.note('info', fields, 'A peer is gone.');
    this.#options.onPeer?.(id, false);
  }

  /** A peer held the most of what waits, and others needed the room. */
  #makesWay(id: number | undefined, reason: string, bytes: number): void {
    const member = id === undefined ? undefined : this.#members.byId(id);
    this.#noteEnd(member, { reason, bytes });
  }

  /** Somebody broke the rules of the channel; the connection is being ended. */
  #faulty(peer: PeerId | undefined, address: string, reason: string): void {
    const member = peer && this.#members.byPeerId(peer);
    if (member !== undefined) this.#members.offend(member, true);
    this.#noteEnd(member, member === undefined ? { address, reason } : { reason });
  }

  #noteEnd(member: Member | undefined, fields: NoticeFields & { readonly reason: string }): void {
    this.counters.resets++;
    noteReset(member?.account ?? this.#accounts.strangers, fields.reason);
    if (member === undefined)
      this.#notices.note('warn', fields, 'Ended a connection before its handshake was done.');
    else {
      const peer = member.principal.id;
      this.#notices.note('warn', { peer, ...fields }, 'Ended the connection to a peer.');
    }
  }

  #accept(stream: Stream, connection: Connection): void {
    const member = this.#members.byPeerId(connection.remotePeer);
    const allowed = member?.dialsUs === true && connection.direction === 'inbound';
    if (!allowed || this.#stopping.signal.aborted) {
      hangUp(connection, 'this peer does not open streams here');
      return;
    }
    this.#begin(new Link(this, member, stream, connection, false));
  }

  #begin(link: Link): Link {
    this.#links.add(link);
    link.start();
    return link;
  }

  #tick(): void {
    for (const link of this.#links) link.tick();
    // A member may hold a connection open without ever saying hello on it.
    const used = new Set<Connection>();
    for (const link of this.#links) used.add(link.connection);
    const graceMs = this.limits.helloHeartbeats * this.limits.heartbeatMs;
    for (const connection of this.#node?.getConnections() ?? []) {
      // Not since `timeline.open`: that is the wall clock's, which may be set.
      const since = this.#seen.get(connection) ?? now();
      this.#seen.set(connection, since);
      if (used.has(connection) || now() - since <= graceMs) continue;
      hangUp(connection, 'no hello on this connection');
    }
  }

  /** How many replicas are connected. */
  #replicas(): number {
    return [...this.#byId.keys()].filter((id) => !isClient(id)).length;
  }
}

function stoppedError(): MeshStoppedError {
  return new MeshStoppedError('The mesh was stopped.');
}
