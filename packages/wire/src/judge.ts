import type { Breach, ContentOf, Digest, PrincipalId, Signed, Tagged } from '@quorumlab/core';
import type { VowSource } from './vows.ts';

/** Statements, and what the digests in them are of. */
export interface Heard<M extends Tagged> {
  readonly statements: readonly Signed<M>[];
  readonly contents: ReadonlyMap<Digest, Uint8Array>;
  /** Statements that somebody has had to forget. */
  readonly forgotten: number;
}

/** What a judge asks a protocol besides its vows; every `Protocol` is one. */
export interface Judged<M extends Tagged> {
  readonly breaches?: readonly Breach<M>[];
  contents?(message: M): Iterable<readonly [Digest, Uint8Array]>;
}

/** A member that has signed two statements of which no honest one signs both. */
export interface Guilty<M extends Tagged> {
  readonly signer: PrincipalId;
  /** What it has done, in words that follow its name. */
  readonly rule: string;
  readonly first: Signed<M>;
  readonly second: Signed<M>;
  /** Encodings that the rule needs, because the statements name them by digests only. */
  readonly contents: readonly Uint8Array[];
}

/** Most statements of one signer that are laid beside each other, the latest ones. */
const mostOfSigner = 4096;

/** Longest digest or text of a vow that is shown in full. */
const shownLetters = 48;

const shown = (what: string): string => {
  const short = what.replace(/\b[0-9a-f]{64}\b/g, (digest) => `${digest.slice(0, 8)}…`);
  return short.length > shownLetters ? `${short.slice(0, shownLetters)}…` : short;
};

/**
 * What is wrong with one signer having signed both, in words, or nothing: two answers to one
 * question, or what the protocol knows to be a breach of its rules. Says which contents it took.
 */
export function wrongIn<M extends Tagged>(
  protocol: VowSource<M> & Judged<M>,
  one: M,
  other: M,
  content: ContentOf,
): { readonly rule: string; readonly contents: readonly Uint8Array[] } | undefined {
  const said = new Map(protocol.vows?.(other) ?? []);
  for (const [about, what] of protocol.vows?.(one) ?? []) {
    const also = said.get(about);
    if (also === undefined || also === what) continue;
    const rule = `signed two statements about ${about}: "${shown(what)}" and "${shown(also)}"`;
    return { rule, contents: [] };
  }
  for (const { kinds, why } of protocol.breaches ?? []) {
    if (kinds[0] !== one.kind || kinds[1] !== other.kind) continue;
    const taken = new Set<Uint8Array>();
    const rule = why(one, other, (digest) => {
      const bytes = content(digest);
      if (bytes !== undefined) taken.add(bytes);
      return bytes;
    });
    if (rule !== undefined) return { rule, contents: [...taken] };
  }
  return undefined;
}

/**
 * Who is guilty by what was heard: one verdict a member at most, by the smallest two statements
 * that show it. Statements must have been checked. An honest member is never among them, whatever
 * others have signed, as long as fewer than a quorum lie: each verdict rests on the member's own
 * two signatures, and on rules that every honest replica keeps. Members come in ascending order.
 */
export function judge<M extends Tagged>(
  protocol: VowSource<M> & Judged<M>,
  { statements, contents }: Heard<M>,
): readonly Guilty<M>[] {
  const bySigner = new Map<PrincipalId, Signed<M>[]>();
  for (const each of statements) {
    const own = bySigner.get(each.from);
    if (own === undefined) bySigner.set(each.from, [each]);
    else own.push(each);
  }
  const content: ContentOf = (digest) => contents.get(digest);
  return protocol.members.flatMap((signer) => {
    const own = (bySigner.get(signer) ?? []).slice(-mostOfSigner);
    const pair = twoAnswers(protocol, own) ?? breachIn(protocol, own, content);
    if (pair === undefined) return [];
    const [first, second] = pair;
    const wrong = wrongIn(protocol, first, second, content);
    return wrong === undefined ? [] : [{ signer, first, second, ...wrong }];
  });
}

type Pair<M> = readonly [Signed<M>, Signed<M>];

/** Two answers to one question, those of the smallest kind that there are. */
function twoAnswers<M extends Tagged>(
  protocol: VowSource<M>,
  own: readonly Signed<M>[],
): Pair<M> | undefined {
  const first = new Map<string, { readonly what: string; readonly message: Signed<M> }>();
  let best: Pair<M> | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const message of own)
    for (const [about, what] of protocol.vows?.(message) ?? []) {
      const before = first.get(about);
      if (before === undefined) first.set(about, { what, message });
      else if (before.what !== what) {
        const size = sizeOf(protocol, message) + sizeOf(protocol, before.message);
        if (size >= least) continue;
        least = size;
        best = [before.message, message];
      }
    }
  return best;
}

/** What messages of this kind can take: how large a proof becomes, without encoding anything. */
const sizeOf = <M extends Tagged>({ messages }: VowSource<M>, { kind }: M): number =>
  messages.of(kind)?.maxBytes ?? 0;

/** Two statements that break a rule together. */
function breachIn<M extends Tagged>(
  { breaches = [] }: Judged<M>,
  own: readonly Signed<M>[],
  content: ContentOf,
): Pair<M> | undefined {
  for (const { kinds, at, why } of breaches) {
    const others = Map.groupBy(
      own.filter(({ kind }) => kind === kinds[1]),
      (each) => at?.(each) ?? '',
    );
    if (others.size === 0) continue;
    for (const one of own) {
      if (one.kind !== kinds[0]) continue;
      for (const other of others.get(at?.(one) ?? '') ?? [])
        if (one !== other && why(one, other, content) !== undefined) return [one, other];
    }
  }
  return undefined;
}
