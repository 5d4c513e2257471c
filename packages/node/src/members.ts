import type { ConnectionGater, PeerId } from '@libp2p/interface';
import type { DialFault } from './dial-fault.ts';
import type { DoorRefusal } from './door.ts';
import type { MeshLimits } from './limits.ts';
import type { NoticeFields, Notices } from './notices.ts';
import { countReason, type PeerAccount, type PeerAccounts } from './peer-account.ts';
import { isClient, type Principal } from './principal.ts';
import { now } from './time.ts';
import { TokenBucket } from './token-bucket.ts';
import { peerIdOf } from './transport.ts';

/** What the mesh remembers of one principal for as long as it runs, connected or not. */
export interface Member {
  readonly principal: Principal;
  readonly peerId: PeerId;
  /** The PeerId as text: the key of the allow list. */
  readonly name: string;
  /** True if the two rules of dialling make the principal call us. */
  readonly dialsUs: boolean;
  readonly accepts: TokenBucket;
  readonly account: PeerAccount;
  /** Why the last attempt to reach it failed; nothing once it is connected. */
  fault: DialFault | undefined;
  /** Aborted once it is let in no longer. */
  readonly gone: AbortController;
  score: number;
  scoredAt: number;
  bans: number;
  bannedUntil: number;
}

/** Strangers that are remembered in order to log each once; the oldest is forgotten first. */
const REMEMBERED_STRANGERS = 1024;

/** Why a connection was refused, before its handshake or once the key behind it was proven. */
export type ConnectionRefusal = 'stranger' | 'banned' | 'too-often' | 'not-its-turn' | DoorRefusal;

/** The allow list of a mesh, its scores, and the gater that libp2p asks about every connection. */
export class Members {
  readonly refused: Record<ConnectionRefusal, number> = {
    stranger: 0,
    banned: 0,
    'too-often': 0,
    'not-its-turn': 0,
    'no-room': 0,
    'no-pass-in-time': 0,
    'pass-too-often': 0,
  };
  readonly #byName = new Map<string, Member>();
  readonly #byId = new Map<number, Member>();
  readonly #limits: MeshLimits;
  readonly #notices: Notices;
  readonly #accounts: PeerAccounts;
  readonly #strangers = new Set<string>();

  constructor(limits: MeshLimits, notices: Notices, accounts: PeerAccounts) {
    this.#limits = limits;
    this.#notices = notices;
    this.#accounts = accounts;
  }

  /** Lets a principal in from now on. */
  add(member: Member): void {
    this.#byName.set(member.name, member);
    this.#byId.set(member.principal.id, member);
  }

  /** Lets a principal in no longer: it is a stranger from now on. */
  remove({ name, principal }: Member): void {
    this.#byName.delete(name);
    this.#byId.delete(principal.id);
  }

  /** The member with this number. */
  byId(id: number): Member | undefined {
    return this.#byId.get(id);
  }

  /** The member whose key Noise has proven. */
  byPeerId(peerId: PeerId): Member | undefined {
    return this.#byName.get(peerId.toString());
  }

  /** Every member but this node. */
  all(): Iterable<Member> {
    return this.#byId.values();
  }

  /** The answers libp2p gets. The encrypted ones are asked after Noise, with a proven identity. */
  gater(): ConnectionGater {
    const unknown = (peerId: PeerId): boolean => this.byPeerId(peerId) === undefined;
    return {
      denyDialPeer: unknown,
      denyOutboundEncryptedConnection: unknown,
      denyInboundEncryptedConnection: (peerId) => this.#deniesInbound(peerId),
      denyInboundRelayedConnection: () => true,
      denyOutboundRelayedConnection: () => true,
    };
  }

  /**
   * Adds one offence to a member's score, or with `grave` all it takes. True if the member is
   * banned by it: the caller then resets its connection.
   */
  offend(member: Member, grave: boolean): boolean {
    const at = now();
    const halvings = (at - member.scoredAt) / this.#limits.offenceHalfLifeMs;
    member.score = member.score * 0.5 ** halvings + 1;
    member.scoredAt = at;
    if (!grave && member.score < this.#limits.offencesBeforeReset) return false;
    // A member that behaved for long after its last ban starts from the first one again.
    if (at - member.bannedUntil > this.#limits.maxBanMs) member.bans = 0;
    const banMs = Math.min(this.#limits.banMs * 2 ** member.bans, this.#limits.maxBanMs);
    member.bans++;
    member.score = 0;
    member.bannedUntil = at + banMs;
    return true;
  }

  /** A connection was ended before its handshake began. */
  refusedAtDoor(reason: DoorRefusal, address: string, caller: number | undefined): void {
    this.refused[reason]++;
    const member = caller === undefined ? undefined : this.byId(caller);
    const { refused } = member?.account ?? this.#accounts.strangers;
    countReason(refused, reason);
    // Of strangers, only that there are some: they can take any number of addresses.
    const fields = member === undefined ? { reason, address } : { reason, peer: caller };
    this.#notices.note(
      'warn',
      fields as NoticeFields,
      'Refused a connection before its handshake.',
    );
  }

  #deniesInbound(peerId: PeerId): boolean {
    const member = this.byPeerId(peerId);
    const reason = member === undefined ? 'stranger' : refusalOf(member, now());
    if (reason === undefined) return false;
    this.refused[reason]++;
    countReason((member?.account ?? this.#accounts.strangers).refused, reason);
    if (member === undefined) this.#noteStranger(peerId.toString());
    else {
      const fields = { peer: member.principal.id, reason };
      this.#notices.note('warn', fields, 'Refused a connection of a peer.');
    }
    return true;
  }

  #noteStranger(name: string): void {
    if (this.#strangers.has(name)) return;
    const oldest = this.#strangers.values().next().value;
    if (this.#strangers.size >= REMEMBERED_STRANGERS && oldest !== undefined) {
      this.#strangers.delete(oldest);
    }
    this.#strangers.add(name);
    const fields = { peerId: name, reason: 'stranger' };
    this.#notices.note('warn', fields, 'Refused a peer that is not in the configuration.');
  }
}

/** Why a member may not connect now, if it may not. */
function refusalOf(member: Member, at: number): ConnectionRefusal | undefined {
  if (!member.dialsUs) return 'not-its-turn';
  if (member.bannedUntil > at) return 'banned';
  return member.accepts.tryTake(at) ? undefined : 'too-often';
}

/** The entry of a principal in the memory of the mesh of `self`. */
export function memberOf(
  principal: Principal,
  self: { readonly id: number; readonly name: string },
  limits: MeshLimits,
  account: PeerAccount,
): Member {
  const peerId = peerIdOf(principal.publicKey);
  const name = peerId.toString();
  const perSecond = limits.connectionsPerMemberPerSecond;
  return {
    principal,
    peerId,
    name,
    dialsUs: dials({ id: principal.id, name }, self),
    accepts: new TokenBucket(perSecond, perSecond * 10, now()),
    account,
    fault: undefined,
    gone: new AbortController(),
    score: 0,
    scoredAt: now(),
    bans: 0,
    bannedUntil: 0,
  };
}

/** Who calls whom: of two replicas the one with the smaller PeerId, and clients call replicas. */
export function dials(
  caller: { readonly id: number; readonly name: string },
  callee: { readonly id: number; readonly name: string },
): boolean {
  if (isClient(callee.id)) return false;
  return isClient(caller.id) || caller.name < callee.name;
}
