import {
  type MessagesField,
  type PrincipalId,
  type Signature,
  type Signed,
  sameBytes,
  type Tagged,
} from '@quorumlab/core';
import { bodyBytes, type Domain, orNothing } from './domain.ts';
import { type FingerprintTable, fingerprints } from './fingerprint.ts';
import {
  type CheckSeal,
  type EvidenceLimits,
  type EvidenceSource,
  evidenceChecker,
  type Keyring,
  zero,
} from './keyring.ts';

/** One simulation's notary: whoever holds a keyring of it can sign as itself and as nobody else. */
export interface IdealAuthority {
  /** Makes the keyring's two halves; for {@link idealKeyring}. */
  readonly realm: (domain: Domain | undefined) => Realm;
  /** Signatures issued so far. */
  issued(): number;
  readonly [books]: Books;
}

/** See {@link idealAuthority}. */
export interface IdealAuthorityOptions {
  /**
   * Whether a signature is recognised after it went through bytes: a simulated disk that really
   * encodes, a worker, a trace. False unless told, because the simulator's own disks share objects;
   * copies of the message around the same signature are recognised in any case. True costs eight
   * bytes per signature for the authority's life, and one encoding once it is no longer recent.
   */
  readonly rebuilt?: boolean;
}

/** A domain, as one object per authority: equal domains are the same object. */
export interface Realm {
  readonly number: number;
}

/** What was signed. Hangs on the signature, so it lives exactly as long as somebody holds that. */
interface Issue {
  readonly realm: Realm;
  readonly serial: number;
  readonly signed: Signed<Tagged>;
  readonly messages: MessagesField<Tagged>;
  body: Uint8Array | undefined;
  /** Another object that was found to say the same. */
  alias: object | undefined;
}

const books: unique symbol = Symbol('books');
const stamp: unique symbol = Symbol('stamp');
type Stamped = Signature & { [stamp]?: Issue };

interface Books {
  issue(
    realm: Realm,
    from: PrincipalId,
    message: Tagged,
    messages: MessagesField<Tagged>,
  ): Signed<Tagged>;
  find(signature: Signature): Issue | undefined;
  /** For signatures that came out of bytes and are no longer recent. */
  old(
    signature: Signature,
    realm: Realm,
    from: PrincipalId,
    kind: string,
    body: Uint8Array,
  ): boolean;
}

const serialBytes = 8;
const recentCount = 4096;
const slabBytes = 16_384;

/** The serial number in the eight bytes of `signature`, or -1. */
function serialOf(bytes: Uint8Array): number {
  if (bytes.length !== serialBytes) return -1;
  let value = 0;
  for (let i = serialBytes - 1; i >= 0; i--) value = value * 256 + (bytes[i] as number);
  return value;
}

type Sealer = (message: Tagged, from: PrincipalId, signature: Signature) => Signed<Tagged>;

/**
 * The same code in several places: engines remember for each place which shapes of objects it has
 * copied, up to four, and copy others at a tenth of the speed.
 */
const sealers: readonly Sealer[] = [
  (message, from, signature) => ({ ...message, from, signature }),
  (message, from, signature) => ({ ...message, from, signature }),
  (message, from, signature) => ({ ...message, from, signature }),
  (message, from, signature) => ({ ...message, from, signature }),
  (message, from, signature) => ({ ...message, from, signature }),
  (message, from, signature) => ({ ...message, from, signature }),
];
/**
 * An authority for one simulation. Its signatures are serial numbers; what each one signs is
 * written in the authority's own books, so a signature over anything else, or by anyone else, does
 * not exist. Nothing is hashed while signature and message travel as the objects that `sign`
 * returned.
 */
export function idealAuthority({ rebuilt = false }: IdealAuthorityOptions = {}): IdealAuthority {
  const realms = new Map<string, Realm>();
  const recent: (Issue | undefined)[] = new Array(rebuilt ? recentCount : 0).fill(undefined);
  const past: FingerprintTable = fingerprints();
  let next = 0;
  let slab = new Uint8Array(0);
  const sealerOfKind = new Map<string, Sealer>();
  let used = 0;

  /** Kinds take turns, so that no place gets many. */
  function sealerOf(kind: string): Sealer {
    let sealer = sealerOfKind.get(kind);
    if (sealer === undefined) {
      sealer = sealers[sealerOfKind.size % sealers.length] as Sealer;
      sealerOfKind.set(kind, sealer);
    }
    return sealer;
  }

  /** Signatures lie side by side: a buffer of its own would take more room than all the rest. */
  function blank(): Uint8Array {
    if (used === slab.length) {
      slab = new Uint8Array(slabBytes);
      used = 0;
    }
    used += serialBytes;
    return new Uint8Array(slab.buffer, used - serialBytes, serialBytes);
  }

  function remember(issue: Issue): void {
    const place = issue.serial % recentCount;
    const before = recent[place];
    if (before !== undefined)
      past.set(
        before.serial,
        before.realm.number,
        before.signed.from,
        before.signed.kind,
        bodyOf(before),
      );
    recent[place] = issue;
  }

  return {
    realm(domain) {
      const key = domain === undefined ? '' : JSON.stringify(Object.entries(domain).sort());
      let realm = realms.get(key);
      if (realm === undefined) realms.set(key, (realm = { number: realms.size }));
      return realm;
    },
    issued: () => next,
    [books]: {
      issue(realm, from, message, messages) {
        const serial = next++;
        const signature = blank() as Stamped;
        let rest = serial;
        for (let i = 0; rest > 0; i++) {
          signature[i] = rest & 255;
          rest = rest < 0x80000000 ? rest >>> 8 : Math.floor(rest / 256);
        }
        const signed = sealerOf(message.kind)(message, from, signature);
        const issue: Issue = { realm, serial, signed, messages, body: undefined, alias: undefined };
        signature[stamp] = issue;
        if (rebuilt) remember(issue);
        return signed;
      },
      find(signature) {
        const stamped = (signature as Stamped)[stamp];
        if (stamped !== undefined || !rebuilt) return stamped;
        const serial = serialOf(signature);
        const found = recent[serial % recentCount];
        return found?.serial === serial ? found : undefined;
      },
      old: (signature, realm, from, kind, body) =>
        rebuilt && past.has(serialOf(signature), realm.number, from, kind, body),
    },
  };
}

const bodyOf = (issue: Issue): Uint8Array =>
  (issue.body ??= bodyBytes(issue.messages, issue.signed));

/** What {@link idealKeyring} needs. */
export interface IdealKeyringOptions<M extends Tagged> extends EvidenceLimits {
  readonly authority: IdealAuthority;
  /** Signatures of other domains are refused. All keyrings without one share one. */
  readonly domain?: Domain;
  /**
   * All messages that are said with this key: the protocol's, with those of the service around it.
   */
  readonly messages: MessagesField<M>;
  /** Finds the signatures inside messages. */
  readonly protocol: EvidenceSource;
  readonly self: PrincipalId;
  /** Whose word is taken; everyone's unless told. */
  readonly knows?: (principal: PrincipalId) => boolean;
}

/**
 * Signatures that cannot be forged by construction and cost next to nothing: the simulator's
 * default. `counters.cached` counts signatures that were told good by the identity of the objects.
 */
export function idealKeyring<M extends Tagged>(options: IdealKeyringOptions<M>): Keyring<M> {
  const { authority, self } = options;
  const realm = authority.realm(options.domain);
  const counters = zero();
  const book = authority[books];
  // The schema of M is only ever asked about values whose kind has selected it.
  const messages = options.messages as unknown as MessagesField<Tagged>;
  const knows = options.knows ?? (() => true);
  let lastStatement: object | undefined;
  let lastBody: Uint8Array | undefined;

  /** Certificates ask for the same body once per signer. */
  function encoded(statement: Tagged): Uint8Array {
    if (lastStatement !== statement || lastBody === undefined) {
      lastBody = bodyBytes(messages, statement);
      lastStatement = statement;
    }
    return lastBody;
  }

  function compare(
    issue: Issue | undefined,
    from: PrincipalId,
    signature: Signature,
    statement: Tagged,
  ): boolean {
    if (issue === undefined)
      return book.old(signature, realm, from, statement.kind, encoded(statement));
    if (issue.signed.kind !== statement.kind) return false;
    if (!sameBytes(bodyOf(issue), encoded(statement))) return false;
    issue.alias = statement;
    return true;
  }

  const check: CheckSeal = (from, signature, statement) => {
    const issue = book.find(signature);
    const fits = issue === undefined || (issue.realm === realm && issue.signed.from === from);
    if (fits && issue !== undefined && (issue.signed === statement || issue.alias === statement)) {
      counters.cached++;
      return true;
    }
    const good =
      fits && knows(from) && orNothing(() => compare(issue, from, signature, statement)) === true;
    if (good) counters.verified++;
    else counters.refused++;
    return good;
  };

  return {
    name: 'ideal',
    self,
    counters,
    knows,
    sign(message) {
      counters.signed++;
      return book.issue(realm, self, message, messages) as Signed<M>;
    },
    checkSeal: check,
    ...evidenceChecker<M>(options.protocol, knows, check, options),
  };
}
