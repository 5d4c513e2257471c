/**
 * One process with many groups: one connection to each other process, one loop and one timer, and
 * for each peer one budget, whatever it says to how many groups.
 */
import type { PrincipalId, ReplicaId } from '@quorumlab/core';
import type { Files, SharedLog } from '@quorumlab/disk';
import type { LogShape } from '@quorumlab/log';
import { addressIn } from '@quorumlab/wire';
import { type ClockBound, type WatchedClock, watchClock } from './clock-bound.ts';
import { type MemberIdentity, NodeConfigError, principalsOf } from './cluster-identity.ts';
import { Commons } from './commons.ts';
import { type GroupNode, openGroup } from './group.ts';
import { type HostLimits, hostLimits } from './host-limits.ts';
import { type FrameRefusal, noRefusals } from './intake.ts';
import type { MeshLimits } from './limits.ts';
import { type Logger, nodeLogger } from './logging.ts';
import { startMesh } from './mesh.ts';
import { type Mesh, MeshStoppedError } from './mesh-port.ts';
import { type GroupOptions, type NodeOptions, notStarted } from './node-options.ts';
import { Notices } from './notices.ts';
import { countReason, PeerAccounts } from './peer-account.ts';
import type { Principal } from './principal.ts';
import type { Hosted, Process } from './process.ts';
import { decodeRest } from './rest.ts';
import type { RunningNode } from './running-node.ts';
import { groupFolder, openProcessLog } from './stable.ts';

/** How to run a process that holds several groups. */
export interface HostOptions {
  /** The number of this process, which is that of its replica in every group. */
  readonly self: ReplicaId;
  /** The name of the cluster. No two clusters that share a key may share it. */
  readonly cluster: string;
  /** The processes, by number, this one among them. A group is run by those that it names. */
  readonly members: readonly MemberIdentity[];
  /** Who may send requests to any group: numbers from 65,536 up. */
  readonly clients: readonly Principal[];
  /** How many numbers there are for processes, where some may come later; none may unless told. */
  readonly seats?: number;
  /** The 32-byte Ed25519 seed of this process. */
  readonly secretKey: Uint8Array;
  /** Where the state of all groups lives; made if it is not there. One process at a time. */
  readonly folder: string;
  /** What the log of all groups is written by; plain files unless told. */
  readonly backEnd?: 'files' | 'sqlite';
  /** The file operations of the back end `files`; Node's unless told. For tests that fail disks. */
  readonly files?: Files;
  readonly logger: Logger;
  /** The multiaddr to listen on, where it is not the one that others dial. */
  readonly listen?: string;
  readonly limits?: Partial<HostLimits>;
  readonly meshLimits?: Partial<MeshLimits>;
  /** As `NodeOptions.clockError`. */
  readonly clockError?: number;
  /** As `NodeOptions.answer`. */
  readonly answer?: () => Uint8Array | undefined;
  /**
   * Milliseconds after which a group of a protocol for crashes in which nothing was asked rests: it
   * says nothing until somebody wants something, or a member is lost. 1,000 unless told.
   */
  readonly restAfterMs?: number;
}

/** A process with its groups. */
export interface Host {
  /**
   * Adds the replica of this process in a group: its state is read back. Before {@link Host.start}
   * it waits for that; afterwards it is at work when this resolves. Throws {@link NodeConfigError},
   * what `startNode` throws about keys and disks, and `GroupOpenError`; the other groups go on.
   */
  open<S extends LogShape, C = Uint8Array, R = Uint8Array, Q = Uint8Array>(
    options: GroupOptions<S, C, R, Q>,
  ): Promise<RunningNode<S, C, R, Q>>;
  /** Lets it listen, and all groups that are open run. Throws `MeshConfigError` and `KeyError`. */
  start(): Promise<void>;
  /** The names of the groups that are open, in the order in which they were opened. */
  groups(): readonly string[];
  /** Resolves when `count` processes (all others unless given) are connected. */
  ready(count?: number, signal?: AbortSignal): Promise<void>;
  /** The multiaddrs it listens on. */
  addresses(): readonly string[];
  /** By how much the wall clock of this process may be wrong, and who says so. */
  clock(): ClockBound;
  /** Stops all groups, as abrupt as a crash; leaves no handle. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Opens a process for several groups, and reads its log. Nothing is sent, and nobody is let in,
 * before {@link Host.start}. Throws {@link NodeConfigError} and what the disk package throws
 * (`FolderLockedError`, `DamagedLogError`, ...).
 */
export async function openHost(options: HostOptions): Promise<Host> {
  const { self, cluster } = options;
  const logger = nodeLogger(options.logger, { node: self, role: 'replica', cluster });
  const limits = hostLimits(options.limits);
  const log = await openProcessLog(options, (error) =>
    logger.warn({ err: error }, 'The log could not be rewritten; it grows until it can.'),
  );
  return new ProcessHost({ ...options, logger }, limits, log);
}

/** Starts a process for one group: see `startNode`. */
export async function startAlone<S extends LogShape, C, R, Q>(
  options: NodeOptions<S, C, R, Q>,
  logger: Logger,
): Promise<RunningNode<S, C, R, Q>> {
  const { cluster } = options;
  const limits = hostLimits(options.limits);
  const host = new ProcessHost({ ...options, ...cluster, logger }, limits, undefined);
  try {
    const node = await host.add(options);
    await host.start();
    return node;
  } catch (error) {
    await host.stop();
    throw error;
  }
}

class ProcessHost implements Host, Process {
  readonly self: ReplicaId;
  readonly limits: HostLimits;
  readonly commons: Commons;
  readonly accounts: PeerAccounts = new PeerAccounts();
  readonly log: SharedLog | undefined;
  readonly quietMs: number | undefined;
  mesh: Mesh | undefined;
  readonly #options: HostOptions;
  readonly #notices: Notices;
  readonly #groups = new Map<string, Hosted>();
  /** Whom each group takes frames of. */
  readonly #inside = new Map<Hosted, Set<PrincipalId>>();
  readonly #refused = noRefusals();
  /** By how much the wall clock may be wrong as long as nobody else says so. */
  readonly #declared: number;
  #clock: WatchedClock | undefined;
  #looking: NodeJS.Timeout | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** Without a log of its own it has one group, and ends with it. */
  constructor(options: HostOptions, limits: HostLimits, log: SharedLog | undefined) {
    this.#options = options;
    this.self = options.self;
    this.limits = limits;
    this.log = log;
    this.quietMs = log === undefined ? undefined : (options.restAfterMs ?? 1_000);
    this.commons = new Commons(limits);
    this.#notices = new Notices(options.logger);
    this.#declared = options.clockError ?? 100_000;
  }

  open<S extends LogShape, C, R, Q>(
    options: GroupOptions<S, C, R, Q>,
  ): Promise<RunningNode<S, C, R, Q>> {
    const { self, cluster, members, clients, seats, secretKey, logger, files } = this.#options;
    const folder = groupFolder(this.#options.folder, options.group);
    const { group, epoch = 0, protocol } = options;
    const here = members.filter(({ id }) => protocol.members.includes(id));
    const mayGrow = seats !== undefined && here.length < protocol.members.length;
    const identity = {
      cluster,
      group,
      epoch,
      members: here,
      clients,
      ...(mayGrow ? { seats: protocol.members.length } : {}),
    };
    const disk = { folder, ...(files === undefined ? {} : { files }) };
    return this.add({ ...options, ...disk, self, secretKey, logger, cluster: identity });
  }

  async add<S extends LogShape, C, R, Q>(
    options: NodeOptions<S, C, R, Q>,
  ): Promise<GroupNode<S, C, R, Q>> {
    const node = await openGroup(this, options);
    if (this.#stopping === undefined) {
      const { mesh } = this;
      if (mesh !== undefined) node.start(mesh);
      return node;
    }
    await node.stop();
    throw new MeshStoppedError('The process was stopped.');
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { self, members, secretKey, listen, meshLimits, answer, seats = 0 } = this.#options;
    const mesh = await startMesh({
      secretKey,
      self,
      listen: listen ?? members.find(({ id }) => id === self)?.address ?? '',
      principals: principalsOf(this.#options),
      moreToCome: Math.max(0, seats - members.length),
      maxFrameBytes: this.limits.maxFrameBytes,
      onFrame: (from, frame) => this.#receive(from, frame),
      busyMs: (from) => this.commons.busyMs(from),
      onPeer: (id, connected) => this.#each((group) => group.peer(id, connected)),
      accounts: this.accounts,
      logger: this.#options.logger,
      ...(meshLimits === undefined ? {} : { limits: meshLimits }),
      ...(answer === undefined ? {} : { answer }),
    });
    this.mesh = mesh;
    this.#clock = watchClock(this.#declared);
    this.#each((group) => group.start(mesh));
    if (this.quietMs === undefined) return;
    const look = (): void => this.#each((group) => group.look());
    this.#looking = setInterval(look, Math.max(1, this.quietMs / 2));
  }

  groups(): readonly string[] {
    return [...this.#groups.values()].map(({ name }) => name);
  }

  ready(count?: number, signal?: AbortSignal): Promise<void> {
    return this.mesh?.ready(count, signal) ?? Promise.reject(notStarted());
  }

  addresses(): readonly string[] {
    return this.mesh?.addresses() ?? [];
  }

  clock(): ClockBound {
    return this.#clock?.bound() ?? { error: this.#declared, source: 'declared' };
  }

  strays(): Readonly<Record<FrameRefusal, number>> {
    return this.#refused;
  }

  connected(group: Hosted): readonly PrincipalId[] {
    const inside = this.#inside.get(group);
    return this.mesh?.connected().filter((id) => inside?.has(id)) ?? [];
  }

  join(group: Hosted): void {
    const { address, name } = group;
    if (this.#groups.has(address))
      throw new NodeConfigError(
        `The group ${name} is open in this process already; give each group its own name.`,
      );
    this.#groups.set(address, group);
    this.#inside.set(group, new Set());
  }

  async leave(group: Hosted): Promise<void> {
    if (this.#groups.get(group.address) === group) this.#groups.delete(group.address);
    this.#inside.delete(group);
    if (this.log === undefined) await this.#close();
  }

  failed(group: Hosted, error: Error): void {
    // What was not written is of one group, but nothing more can be written of any.
    if (this.log?.failure === undefined) return;
    this.#each((each) => {
      if (each !== group) each.fail(error);
    });
  }

  admit(group: Hosted, principal: Principal): void {
    this.#inside.get(group)?.add(principal.id);
    if (principal.id !== this.self) this.mesh?.admit(principal);
  }

  drop(group: Hosted, id: PrincipalId, reason: string): void {
    this.#inside.get(group)?.delete(id);
    for (const inside of this.#inside.values()) if (inside.has(id)) return;
    this.mesh?.drop(id, reason);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    const ends = [...this.#groups.values()].map((group) => group.stop());
    const ended = await Promise.allSettled(ends);
    await this.#close();
    await this.log?.close();
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
  }

  async #close(): Promise<void> {
    this.#clock?.stop();
    clearInterval(this.#looking);
    await this.mesh?.stop();
    this.#notices.stop();
  }

  #each(act: (group: Hosted) => void): void {
    for (const group of [...this.#groups.values()]) act(group);
  }

  /** Gives a frame to the group that it names, before anything else of it is read. */
  #receive(from: PrincipalId, frame: Uint8Array): void {
    const rest = decodeRest(frame);
    if (rest !== undefined) return this.#rest(from, frame, rest);
    const address = addressIn(frame);
    if (typeof address !== 'string') {
      this.#refuse(from, frame, address.reason);
      this.mesh?.penalise(from, address.reason);
      return;
    }
    const group = this.#groups.get(address);
    // No offence: it may know a group that this process has not opened yet, or any more.
    if (group === undefined) return this.#refuse(from, frame, 'wrong-domain');
    if (this.#inside.get(group)?.has(from)) return group.receive(from, frame);
    // Nor this: it hears later than others that it has left.
    this.#refuse(from, frame, 'not-a-member');
  }

  #rest(from: PrincipalId, frame: Uint8Array, found: ReturnType<typeof decodeRest>): void {
    if (found === undefined || found === 'malformed') {
      this.#refuse(from, frame, 'malformed');
      return this.mesh?.penalise(from, 'malformed');
    }
    this.commons.paid(from, frame.byteLength);
    const group = this.#groups.get(found.address);
    if (group !== undefined && this.#inside.get(group)?.has(from) === true)
      group.rest(from, found.message);
  }

  #refuse(peer: PrincipalId, frame: Uint8Array, reason: FrameRefusal): void {
    this.#refused[reason]++;
    this.commons.paid(peer, frame.byteLength);
    countReason(this.accounts.of(peer).refused, reason);
    this.#notices.note('warn', { peer, reason }, 'Refused a frame: it is for none of the groups.');
  }
}
