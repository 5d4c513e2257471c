/** A replica in a process: the machine of a protocol over a real network and a real disk. */
import type { Behaviour } from '@quorumlab/adversary';
import type { Machine, PrincipalId, ReplicaId, Roster, Slot } from '@quorumlab/core';
import type { Disk } from '@quorumlab/disk';
import {
  installedBy,
  type LogCodec,
  type LogOutput,
  type LogPort,
  type LogShape,
  type ReplicatedLog,
  replicatedLog,
  type Serviced,
  type ServicedProtocol,
  type ServiceOptions,
  serviced,
} from '@quorumlab/log';
import { addressFor, envelopes, type Keyring } from '@quorumlab/wire';
import { Chronicle } from './chronicle.ts';
import { clusterDomain, type MemberIdentity, principalsOf } from './cluster-identity.ts';
import { Gate } from './gate.ts';
import { GroupRest } from './group-rest.ts';
import { requireFrames } from './host-limits.ts';
import { sumOf } from './intake.ts';
import { honestKeyring, type NodeKeyring } from './keyring.ts';
import type { Logger } from './logging.ts';
import type { Mesh } from './mesh-port.ts';
import {
  checkNode,
  faultsForbidden,
  keyringOf,
  loggerOf,
  type NodeOptions,
  notStarted,
} from './node-options.ts';
import { Notices } from './notices.ts';
import { type PeerUse, useOf } from './peer-account.ts';
import type { Hosted, Process } from './process.ts';
import { rawCodec } from './raw-codec.ts';
import type { RestMessage } from './rest.ts';
import { Runner } from './runner.ts';
import type { Culprit } from './runner-options.ts';
import type { NodeStatus, RunningNode } from './running-node.ts';
import { openStable, type StableState, served } from './stable.ts';
import { busyMicroseconds, now } from './time.ts';
import { powerOf } from './traitor.ts';
import { whatIsSaid } from './what-is-said.ts';

/**
 * Reads the state of a replica back, and makes it take part in its process. Throws what `startNode`
 * does, but for the network; then nothing of it is left open.
 */
export async function openGroup<S extends LogShape, C, R, Q>(
  process: Process,
  options: NodeOptions<S, C, R, Q>,
): Promise<GroupNode<S, C, R, Q>> {
  checkNode(options);
  const group = serviced(options.protocol);
  requireFrames(process.limits, { ...options.protocol, messages: group.messages });
  const begin = now();
  const keyring = keyringOf(options, group);
  const onNoRoom = (error: Error): void => loggerOf(options).warn({ err: error }, error.message);
  const { sliceMs } = process.limits;
  const stable = await openStable(group, options, onNoRoom, sliceMs, process.log);
  try {
    return new GroupNode(process, options, group, stable, keyring, begin);
  } catch (error) {
    await stable.disk.close();
    throw error;
  }
}

const sharedOf = (process: Process) => ({
  limits: process.limits,
  commons: process.commons,
  accounts: process.accounts,
  clockError: () => process.clock().error,
});

/** See the head of this file. */
export class GroupNode<S extends LogShape, C, R, Q> implements RunningNode<S, C, R, Q>, Hosted {
  readonly address: string;
  readonly name: string;
  readonly log: ReplicatedLog<C, R, Q>;
  readonly failed: Promise<Error>;
  readonly #options: NodeOptions<S, C, R, Q>;
  readonly #group: ServicedProtocol<S>;
  readonly #logger: Logger;
  readonly #notices: Notices;
  readonly #process: Process;
  readonly #begin: number;
  readonly #disk: Disk<Serviced<S>>;
  readonly #signing: NodeKeyring<Serviced<S>['Message']>;
  readonly #guarded: Keyring<Serviced<S>['Message']>;
  readonly #honest: Machine<Serviced<S>>;
  readonly #runner: Runner<Serviced<S>>;
  readonly #tellFailed: (error: Error) => void;
  readonly left: Promise<void>;
  readonly #gate: Gate;
  readonly #rest: GroupRest;
  #behaves = true;
  #fired = 0;
  #applied: Slot;
  #state: number;
  #failure: Error | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    process: Process,
    options: NodeOptions<S, C, R, Q>,
    group: ServicedProtocol<S>,
    { disk, restarted }: StableState<S>,
    keyring: NodeKeyring<Serviced<S>['Message']>,
    begin: number,
  ) {
    const { protocol, self, cluster, codec, hooks = {} } = options;
    const domain = clusterDomain(protocol, cluster);
    this.address = addressFor(domain);
    this.name = cluster.group;
    this.#process = process;
    this.#begin = begin;
    this.#options = options;
    this.#group = group;
    this.#logger = loggerOf(options);
    this.#notices = new Notices(this.#logger);
    const chronicle = new Chronicle(this.#notices, self);
    this.#disk = disk;
    this.#signing = keyring;
    this.#guarded = honestKeyring(keyring, protocol, group);
    const left = Promise.withResolvers<void>();
    this.left = left.promise;
    this.#gate = new Gate({
      self,
      members: options.cluster.members,
      mesh: {
        admit: (principal) => process.admit(this, principal),
        drop: (id, reason) => process.drop(this, id, reason),
      },
      trust: (id, publicKey) => keyring.admit(id, publicKey),
      left: left.resolve,
    });
    const failed = Promise.withResolvers<Error>();
    this.failed = failed.promise;
    this.#tellFailed = failed.resolve;
    this.#honest = this.#make(disk.stable, {
      // What the service puts into this table.
      readChunk: (row) => disk.read('serviceChunks', row) as Uint8Array | undefined,
      ...(restarted === undefined ? {} : { restarted }),
    });
    const snapshot = disk.stable?.serviceSnapshot ?? undefined;
    this.#applied = snapshot?.slot ?? -1;
    this.#state = snapshot?.state ?? 0;
    this.#rest = this.#makeRest(process);
    this.#runner = new Runner<Serviced<S>>({
      machine: this.#honest,
      members: this.#gate.inside,
      ticked: () => this.#gate.look(this.roster()),
      moved: (output) => this.#rest.moved(output),
      keyring: () => (this.#behaves ? this.#guarded : this.#signing),
      envelopes: envelopes(domain, group.messages, keyring.shares),
      commit: (writes) => disk.commit(writes),
      ...sharedOf(process),
      hooks,
      notices: this.#notices,
      ...whatIsSaid(group, hooks.heard !== undefined),
      chronicle,
      rejoin: (options.rejoin ?? false) && disk.stable === undefined,
      onFailure: (error, culprit) => this.#fail(error, culprit),
    });
    this.#runner.listen((output) => this.#note(output));
    this.#runner.listen((output) => chronicle.released(output));
    if (options.behaviour !== undefined) this.setBehaviour(options.behaviour);
    // Without a codec C, R and Q are what they are unless told: bytes.
    const coded = codec ?? (rawCodec as unknown as LogCodec<C, R, Q>);
    this.log = replicatedLog({ host: this.#port(this.#applied + 1), codec: coded });
    process.join(this);
  }

  #makeRest(process: Process): GroupRest {
    return new GroupRest(process, {
      group: this,
      self: this.#options.self,
      inside: this.#gate.inside,
      mayRest: () => this.#behaves && this.#group.protocol.claims.faults === 'crash',
      status: () => this.#runner.machine.status(),
      applied: () => ({ applied: this.#applied, state: this.#state }),
      isIdle: () => this.#runner.isIdle,
      timers: () => this.#runner.timers,
    });
  }

  start(mesh: Mesh): void {
    for (const each of principalsOf(this.#options.cluster)) this.#process.admit(this, each);
    // Who has come before this start stands on the disk.
    this.#gate.look(this.roster());
    this.#runner.start(mesh);
    const ms = Math.round(now() - this.#begin);
    const fields = { addresses: this.addresses(), applied: this.#applied };
    this.#logger.info({ ...fields, ms }, 'The replica has started.');
  }

  receive(from: PrincipalId, frame: Uint8Array): void {
    this.#runner.receive(from, frame);
  }

  peer(id: PrincipalId, connected: boolean): void {
    this.#runner.peer(id, connected);
    this.#rest.linked(id);
  }

  look(): void {
    this.#rest.look();
  }

  rest(from: PrincipalId, message: RestMessage): void {
    this.#rest.hear(from, message);
  }

  status(): NodeStatus {
    const mesh = this.#mesh();
    const { counters } = this.#runner;
    const strays = this.#process.strays();
    return {
      ...this.#runner.machine.status(),
      self: this.#options.self,
      group: this.name,
      isResting: this.#rest.isResting,
      applied: this.#applied,
      state: this.#state,
      peers: this.#process.connected(this),
      use: this.#use(mesh),
      clock: this.#process.clock(),
      busyMicros: busyMicroseconds(),
      failure: this.#failure,
      counters: {
        ...counters,
        refused: sumOf(counters.refused, strays),
        signatures: this.#signing.counters,
        mesh: mesh.stats(),
        fired: this.#fired,
      },
    };
  }

  /** Throws {@link NodeConfigError} before the process listens. */
  #mesh(): Mesh {
    const { mesh } = this.#process;
    if (mesh === undefined) throw notStarted();
    return mesh;
  }

  #use(mesh: Mesh): readonly PeerUse[] {
    const { accounts, commons } = this.#process;
    return accounts.all().map((account) => {
      if (account.id === undefined) return useOf(account);
      const { items: waitingFrames, bytes: waitingBytes } = commons.waitingOf(account.id);
      return useOf(account, { ...mesh.holdings(account.id), waitingFrames, waitingBytes });
    });
  }

  ready(count?: number, signal?: AbortSignal): Promise<void> {
    return this.#mesh().ready(count, signal);
  }

  addresses(): readonly string[] {
    return this.#process.mesh?.addresses() ?? [];
  }

  roster(): Roster | undefined {
    return this.#honest.roster?.();
  }

  known(): readonly MemberIdentity[] {
    return this.#gate.known();
  }

  ask(id: ReplicaId, limitMs: number): Promise<Uint8Array> {
    return this.#mesh().ask(id, limitMs);
  }

  faultOf(id: ReplicaId): ReturnType<Mesh['faultOf']> {
    return this.#process.mesh?.faultOf(id);
  }

  setBehaviour(behaviour: Behaviour<Serviced<S>> | undefined): void {
    const { allowFaults = false, hooks } = this.#options;
    if (behaviour === undefined) {
      this.#behaves = true;
      this.#runner.machine = this.#honest;
      return;
    }
    if (!allowFaults) throw faultsForbidden();
    const fire = (what: string): void => {
      this.#fired++;
      hooks?.fired?.(what);
    };
    this.#behaves = false;
    const power = powerOf(this.#group, (stable) => this.#make(stable), fire);
    this.#runner.machine = behaviour(this.#honest, power);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  /** A machine that is not the one beside the disk keeps the chunks of snapshots in memory. */
  #make(
    stable: Serviced<S>['Stable'] | undefined,
    beside: Pick<ServiceOptions<S>, 'readChunk' | 'restarted'> = {},
  ): Machine<Serviced<S>> {
    const { self, client } = this.#options;
    return this.#group.machine(self, {
      ...served(this.#options),
      lines: false,
      ...(stable === undefined ? {} : { stable }),
      ...(client === undefined ? {} : { client }),
      ...beside,
    });
  }

  #port(from: Slot): LogPort {
    return {
      send: (event) => {
        this.#rest.asked(event);
        this.#runner.hand(event);
      },
      listen: (listener) => this.#runner.listen(listener),
      status: () => this.#runner.machine.status(),
      stop: () => this.stop(),
      from,
    };
  }

  #note(output: LogOutput): void {
    this.#rest.answered(output);
    const installed = output.writes.length === 0 ? undefined : installedBy(output);
    if (installed !== undefined) {
      this.#applied = installed.slot;
      this.#state = installed.state;
    }
    const last = output.applied.at(-1);
    if (last === undefined) return;
    this.#applied = Math.max(this.#applied, last.slot);
    this.#state = last.state;
    const hook = this.#options.hooks?.applied;
    if (hook === undefined) return;
    const at = Math.floor(performance.now() * 1000);
    for (const each of output.applied) hook(at, each);
  }

  fail(error: Error): void {
    if (this.#failure === undefined && this.#stopping === undefined) this.#fail(error);
  }

  #fail(error: Error, culprit?: Culprit): void {
    this.#failure = error;
    this.#process.failed(this, error);
    this.#logger.fatal(
      { err: error, ...culprit },
      'The replica stops: it must not go on after this.',
    );
    this.stop().then(
      () => this.#tellFailed(error),
      () => this.#tellFailed(error),
    );
  }

  async #end(): Promise<void> {
    const begin = now();
    this.#runner.stop();
    this.#gate.stop();
    await this.#process.leave(this);
    // The log's own stop calls this method again, and gets the same promise.
    void this.log.stop();
    await this.#disk.close().catch((error: unknown) => {
      if (this.#failure === undefined) throw error;
    });
    this.#notices.stop();
    const fields = { applied: this.#applied, ms: Math.round(now() - begin) };
    this.#logger.info(fields, 'The replica has stopped.');
  }
}
