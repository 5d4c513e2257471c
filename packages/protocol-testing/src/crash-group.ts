/**
 * A group of machines for the tests of protocols that tolerate crashes: a test decides what is
 * delivered, lost and synced. It honours the journal rule: what a step writes is durable before
 * what it says is sent.
 */
import {
  type Event,
  type Instant,
  type Journal,
  journal,
  type Machine,
  type Outgoing,
  type Output,
  type PrincipalId,
  type Protocol,
  type Replica,
  type ReplicaId,
  type Request,
  type Shape,
  type Signed,
  type Status,
  seal,
} from '@quorumlab/core';
import { command, textOf, unsigned } from './commands.ts';
import { digestOfText } from './digest.ts';
import { guardedStep } from './guarded-step.ts';
import { bare, ScriptedHost } from './scripted-host.ts';

/** A replicated log of requests, with snapshots. */
export interface SnapshotShape extends Shape {
  readonly Command: Signed<Request>;
  readonly Stable: { readonly snapshot: { readonly digest: string } | null };
}

/** A message on its way. */
export interface Packet<P extends Shape> {
  readonly from: PrincipalId;
  readonly to: ReplicaId;
  readonly message: P['Message'];
}

/** One member with all that a host has for it. */
export class Node<P extends Shape> extends ScriptedHost<P> {
  /** Its disk was lost, and the new one holds nothing yet that says so. */
  isBlank = false;
  /** What this node's application holds, by slot, as {@link textOf} tells it. */
  decided: string[] = [];
  readonly reads: { id: number; upTo: number }[] = [];
  /** Finishes the sync under way, if there is one. */
  finishSync: (() => void) | undefined;
  /** The snapshot that its machine asked for. */
  wanted: { slot: number; digest: string; holder: ReplicaId } | undefined;
  /** The group as the last snapshot has to tell it. */
  configuration: Uint8Array | undefined;

  /** A guard that refuses what its handler needs is found out. */
  override step(event: Event<P>): Output<P> {
    return guardedStep(this.machine, this.input(event));
  }

  override crash(): void {
    super.crash();
    this.finishSync = undefined;
    this.wanted = undefined;
  }
}

/** One step of a member. */
export interface Step<P extends Shape> {
  readonly id: ReplicaId;
  readonly now: Instant;
  readonly event: Event<P>;
  /** Whether its host would have let the message or the command through: see `Machine.admits`. */
  readonly isAdmitted: boolean;
  readonly output: Output<P>;
  /** After it. */
  readonly status: Status;
}

/** How a group is set up. */
export interface GroupOptions<P extends Shape> {
  /** Whether syncs end at once. If not, the test calls `finishSync`. True unless told. */
  readonly instantSync?: boolean;
  /** Called with each step of a member, before anything of it happens: see `transcript`. */
  readonly onStep?: (step: Step<P>) => void;
}

/** What a node finds when it starts again; who lost its disk is told so, and otherwise is not. */
export type DiskFound = 'kept' | 'nothing' | 'lost';

/** What a snapshot holds. */
interface State {
  readonly decided: readonly string[];
  readonly configuration: Uint8Array | undefined;
}

const about = (configuration: Uint8Array | undefined): { readonly configuration?: Uint8Array } =>
  configuration === undefined ? {} : { configuration };

const arrival = <P extends Shape>(from: PrincipalId, message: P['Message']): Event<P> => ({
  type: 'message',
  message: seal<P['Message']>(message, from, unsigned),
});

const isAdmittedBy = <P extends Shape>(
  machine: Machine<P>,
  event: Event<P>,
  now: Instant,
): boolean => {
  if (event.type === 'message') return machine.admits?.(event.message, now) ?? true;
  return event.type !== 'propose' || (machine.wants?.(event.command) ?? true);
};

/** See the module's comment. */
export class CrashGroup<P extends SnapshotShape> {
  readonly nodes: readonly Node<P>[];
  readonly packets: Packet<P>[] = [];
  readonly lines: Set<string> = new Set();
  /** Decisions that differ from what the same slot had decided elsewhere, or came out of order. */
  readonly disagreements: string[] = [];
  /** Why changes of the group were refused, once per replica. */
  readonly refusals: string[] = [];
  /** Accusations, by the kind of the messages. */
  readonly accusations: string[] = [];
  now = 0;
  /** How often a replica has been started again: no two lives have one number. */
  lives = 0;
  private readonly protocol: Protocol<P>;
  /** The timer that makes a replica try to lead. */
  private readonly election: P['Timer'];
  private readonly instant: boolean;
  private readonly onStep: GroupOptions<P>['onStep'];
  private readonly journals: Map<ReplicaId, Journal<P>> = new Map();
  private readonly chosen: string[] = [];
  /** Every snapshot that was taken, by its digest. */
  private readonly states: Map<string, State> = new Map();

  constructor(protocol: Protocol<P>, election: P['Timer'], options: GroupOptions<P> = {}) {
    this.protocol = protocol;
    this.election = election;
    this.instant = options.instantSync ?? true;
    this.onStep = options.onStep;
    this.nodes = protocol.members.map((id) => new Node(id, bare(protocol, id), this));
    for (const node of this.nodes) {
      this.journals.set(node.id, this.journalOf(node));
      this.step(node.id, { type: 'start' });
    }
  }

  private node(id: ReplicaId): Node<P> {
    return this.nodes[id] as Node<P>;
  }

  private journalOf(node: Node<P>): Journal<P> {
    const { life } = node;
    return journal<P>({
      early: (sends) => {
        for (const each of sends) this.route(node.id, each);
      },
      commit: (writes, done) => {
        const finish = (): void => {
          node.finishSync = undefined;
          if (node.life !== life) return; // A crash took this write.
          node.write(writes);
          node.isBlank = false;
          done();
        };
        if (this.instant) finish();
        else node.finishSync = finish;
      },
      release: (output) => this.release(node, output),
    });
  }

  private release(node: Node<P>, output: Output<P>): void {
    node.arm(output.timers);
    node.reads.push(...output.reads);
    for (const { slot, digest, holders } of output.fetches)
      node.wanted = { slot, digest, holder: holders[0] as ReplicaId };
    this.decide(node, output);
    for (const { second } of output.accusations) this.accusations.push(second.kind);
    for (const each of output.sends) this.route(node.id, each);
  }

  private route(from: ReplicaId, { to, message }: Outgoing<P>): void {
    if (to === 'all') throw new Error('this protocol sends to each member by itself');
    if (to === from) this.inject(from, to, message);
    else this.packets.push({ from, to, message });
  }

  private decide(node: Node<P>, output: Output<P>): void {
    for (const { slot, commands, configured } of output.decisions) {
      if (slot !== node.decided.length)
        this.disagreements.push(`${node.id} decides slot ${slot} after ${node.decided.length - 1}`);
      const text = textOf(commands);
      if (configured !== undefined) node.configuration = configured.state;
      if (configured?.refusal !== undefined) this.refusals.push(configured.refusal);
      node.decided.push(text);
      this.chosen[slot] ??= text;
      if (this.chosen[slot] !== text)
        this.disagreements.push(`slot ${slot}: ${this.chosen[slot]} and, at ${node.id}, ${text}`);
      this.takeSnapshot(node, slot, configured !== undefined);
    }
  }

  private takeSnapshot(node: Node<P>, slot: number, isConfigured: boolean): void {
    const { snapshotEvery: every = 0, claims } = this.protocol;
    if (every === 0) return;
    if (claims.order === 'total' ? (slot + 1) % every !== 0 : !isConfigured) return;
    const { configuration } = node;
    const digest = digestOfText(`${node.decided.join()} ${configuration?.join()}`);
    this.states.set(digest, { decided: node.decided.slice(), configuration });
    this.step(node.id, { type: 'snapshot-taken', slot, digest, ...about(configuration) });
  }

  step(id: ReplicaId, event: Event<P>): void {
    const node = this.node(id);
    if (!node.up) return;
    const isAdmitted = this.onStep === undefined || isAdmittedBy(node.machine, event, this.now);
    const output = node.step(event);
    this.onStep?.({ id, now: this.now, event, isAdmitted, output, status: node.machine.status() });
    for (const line of output.lines) this.lines.add(line);
    this.journals.get(id)?.add(output);
  }

  /** What `id` would do upon `event`; it does not do it. */
  wouldDo(id: ReplicaId, event: Event<P>): Output<P> {
    return this.node(id).wouldDo(event);
  }

  /** What `to` would do upon `message`; it does not do it. */
  wouldAnswer(from: PrincipalId, to: ReplicaId, message: P['Message']): Output<P> {
    return this.wouldDo(to, arrival<P>(from, message));
  }

  /** Time goes on until `timer` can fire, and it does. */
  timeout(id: ReplicaId, timer: P['Timer']): void {
    this.now = Math.max(this.now, this.node(id).due(timer) ?? 0);
    this.fire(id, timer);
  }

  /** `timer` fires, as if it had been set long ago. */
  fire(id: ReplicaId, timer: P['Timer']): void {
    this.node(id).timers.delete(timer);
    this.step(id, { type: 'timeout', timer });
  }

  propose(id: ReplicaId, text: string): void {
    this.request(id, command(text));
  }

  /** Gives `id` a client's request. */
  request(id: ReplicaId, request: Signed<Request>): void {
    // The compiler cannot know that no protocol asks for more than a signed request.
    this.step(id, { type: 'propose', command: request as P['Command'] });
  }

  inject(from: PrincipalId, to: ReplicaId, message: P['Message']): void {
    this.step(to, arrival<P>(from, message));
  }

  /** Delivers one packet that is in flight. */
  deliver(packet: Packet<P>): void {
    const at = this.packets.indexOf(packet);
    if (at >= 0) this.packets.splice(at, 1);
    this.inject(packet.from, packet.to, packet.message);
  }

  /** Delivers all packets, and those that they cause, for which `link` holds. Others are lost. */
  settle(link: (packet: Packet<P>) => boolean = () => true): number {
    let count = 0;
    for (let packet = this.packets.shift(); packet !== undefined; packet = this.packets.shift()) {
      if (!link(packet)) continue;
      count += 1;
      if (count > 10_000) throw new Error('the group does not come to rest');
      this.inject(packet.from, packet.to, packet.message);
    }
    return count;
  }

  /** Makes `id` the leader if those that `link` connects can elect it. */
  elect(id: ReplicaId, link?: (packet: Packet<P>) => boolean): void {
    this.timeout(id, this.election);
    this.settle(link);
  }

  crash(id: ReplicaId): void {
    this.node(id).crash();
  }

  /** A disk that was lost is lost until something is written on the new one. */
  restart(id: ReplicaId, found: DiskFound = 'kept'): void {
    const node = this.node(id);
    if (found !== 'kept') node.isBlank = found === 'lost';
    node.boot(found === 'kept' ? 'kept' : 'blank');
    const { snapshot } = node.disk;
    const kept = snapshot === null ? undefined : this.states.get(snapshot.digest);
    node.decided = kept?.decided.slice() ?? [];
    node.configuration = kept?.configuration;
    node.reads.length = 0;
    this.journals.set(id, this.journalOf(node));
    const incarnation = ++this.lives;
    this.step(id, { type: 'start', incarnation, ...(node.isBlank ? { rejoin: true } : {}) });
  }

  /** Installs the snapshot that `id` asked for, as the service would, and tells its machine. */
  install(id: ReplicaId): void {
    const node = this.node(id);
    const { wanted } = node;
    // A service runs what is decided in the step that decides; here that waits for the sync.
    if (wanted === undefined || node.finishSync !== undefined) return;
    node.wanted = undefined;
    const state = this.states.get(wanted.digest);
    if (state === undefined || wanted.slot < node.decided.length) return;
    node.decided = state.decided.slice();
    node.configuration = state.configuration;
    const { slot, digest } = wanted;
    this.step(id, { type: 'snapshot-installed', slot, digest, ...about(state.configuration) });
  }

  view(id: ReplicaId): Replica<P> {
    return this.node(id).view();
  }
}

/** Packets over these links only, each in both directions. */
export const links =
  (...pairs: readonly (readonly [ReplicaId, ReplicaId])[]) =>
  ({ from, to }: { readonly from: PrincipalId; readonly to: ReplicaId }): boolean =>
    pairs.some(([a, b]) => (a === from && b === to) || (a === to && b === from));

/** Packets between these nodes only. */
export const among =
  (...ids: readonly ReplicaId[]) =>
  ({ from, to }: { readonly from: PrincipalId; readonly to: ReplicaId }): boolean =>
    ids.includes(from) && ids.includes(to);
