/**
 * Who is let in, by the configuration that is in force. Members that came after the group was made
 * stand in its log, with key and address; who was told to leave is let in no longer, once it has
 * had a moment to hear of it.
 */
import {
  bytes,
  checked,
  decode,
  encode,
  type PrincipalId,
  type ReplicaId,
  type Roster,
  record,
  SchemaError,
  text,
} from '@quorumlab/core';
import { admitPublicKey, KeyError } from '@quorumlab/wire';
import type { MemberIdentity } from './cluster-identity.ts';
import type { Mesh } from './mesh-port.ts';

/** How long whoever left is still talked to, in milliseconds: it has to hear that it has left. */
const farewellMs = 3_000;
/** How long one that starts as somebody who has left waits to be let in again. */
const patienceMs = 60_000;

const address = checked(text(92), 'multiaddr of TCP', (value) =>
  /^\/(ip4|ip6|dns)\/[\w.:-]+\/tcp\/\d{1,5}$/.test(value)
    ? undefined
    : 'an address is written like /ip4/10.0.0.7/tcp/4001',
);

const about = record({ publicKey: bytes(32), address });

/**
 * What the log holds about a member that comes later. Throws core's `SchemaError` for an address
 * that is none, and `KeyError` for a key that must not be used.
 */
export function encodeAbout({ publicKey, address: at }: Omit<MemberIdentity, 'id'>): Uint8Array {
  admitPublicKey(publicKey, 'the new member');
  return encode(about, { publicKey, address: at });
}

/** The opposite of {@link encodeAbout}; nothing for what no honest client made. */
export function decodeAbout(told: Uint8Array): Omit<MemberIdentity, 'id'> | undefined {
  try {
    const found = decode(about, told);
    admitPublicKey(found.publicKey, 'a new member');
    return found;
  } catch (error) {
    if (error instanceof SchemaError || error instanceof KeyError) return undefined;
    throw error;
  }
}

/** Whom a gate opens and shuts. */
export interface GateHost {
  readonly self: ReplicaId;
  /** Those whom this node was told of when it was started. */
  readonly members: readonly MemberIdentity[];
  readonly mesh: Pick<Mesh, 'admit' | 'drop'>;
  /** Takes the word of one more principal. */
  trust(id: PrincipalId, publicKey: Uint8Array): void;
  /** This node has left the group, and all that it has to do is done. */
  left(): void;
}

/** See the module's comment. */
export class Gate {
  /** All that are let in or dialled, this node included; changes in place. */
  readonly inside: ReplicaId[];
  readonly #host: GateHost;
  readonly #known: Map<ReplicaId, MemberIdentity>;
  readonly #leaving = new Map<ReplicaId, NodeJS.Timeout>();
  #seen: Roster | undefined;

  constructor(host: GateHost) {
    this.#host = host;
    this.#known = new Map(host.members.map((member) => [member.id, member]));
    this.inside = [...this.#known.keys()];
  }

  /** Everybody of whom this node knows key and address. */
  known(): readonly MemberIdentity[] {
    return [...this.#known.values()];
  }

  /** Looks at the configuration in force; costs nothing as long as it is the same. */
  look(roster: Roster | undefined): void {
    if (roster === undefined || roster === this.#seen) return;
    const isFirst = this.#seen === undefined;
    this.#seen = roster;
    for (const { member: id, about: told } of roster.seats) {
      const found = this.#known.has(id) ? undefined : decodeAbout(told);
      if (found !== undefined) this.#known.set(id, { id, ...found });
    }
    const gone = new Set(roster.settled ? roster.left : []);
    for (const member of this.#known.values())
      if (!roster.left.includes(member.id)) this.#letIn(member);
      else if (gone.has(member.id)) this.#sendOff(member.id, isFirst);
  }

  /** Ends what was still to come. */
  stop(): void {
    for (const timer of this.#leaving.values()) clearTimeout(timer);
    this.#leaving.clear();
  }

  #letIn(member: MemberIdentity): void {
    const { id, publicKey } = member;
    clearTimeout(this.#leaving.get(id));
    this.#leaving.delete(id);
    if (id === this.#host.self) return;
    if (!this.inside.includes(id)) this.inside.push(id);
    this.#host.trust(id, publicKey);
    this.#host.mesh.admit(member);
  }

  #sendOff(id: ReplicaId, isFirst: boolean): void {
    if (this.#leaving.has(id)) return;
    const isSelf = id === this.#host.self;
    const end = isSelf ? () => this.#host.left() : () => this.#shutOut(id);
    this.#leaving.set(id, setTimeout(end, isSelf && isFirst ? patienceMs : farewellMs));
  }

  #shutOut(id: ReplicaId): void {
    const place = this.inside.indexOf(id);
    if (place >= 0) this.inside.splice(place, 1);
    this.#host.mesh.drop(id, 'it has left the group');
  }
}
