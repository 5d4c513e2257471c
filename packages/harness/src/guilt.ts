/** Who is guilty of a fork, by what honest nodes have kept; or why nobody can say. */
import type { VerdictWord } from '@quorumlab/checker';
import { firstClient } from '@quorumlab/core';
import type { Watcher } from '@quorumlab/sim';
import {
  type Guilty,
  guiltProof,
  judge,
  type KnownStatements,
  type ProofGroup,
  type Transcript,
  together,
  transcript,
  transcriptBytes,
} from '@quorumlab/wire';
import { leastLiars } from './attacks.ts';
import type { AnyShape, Prepared } from './prepare.ts';

/** A member of a run that is proven to have lied. */
export type Culprit = Guilty<AnyShape['Message']>;

/** What the transcripts of the honest nodes of a run show. */
export interface Guilt {
  /** In ascending order, each once. */
  readonly culprits: readonly Culprit[];
  /**
   * Why fewer are convicted than it takes to do what was done, in words; absent where as many are,
   * or where nothing was done.
   */
  readonly notProvable?: string;
}

/** Nobody was asked. */
export const unasked: Guilt = { culprits: [] };

/** Keeps a transcript for each honest node of a run, and judges by them all. */
export function guiltRecord(
  prepared: Prepared,
  maxBytes: number = transcriptBytes,
): {
  readonly watcher: Pick<Watcher<AnyShape>, 'heard'>;
  found(word: VerdictWord): Guilt;
} {
  const { group } = prepared;
  const kept = new Map<number, Transcript<AnyShape['Message']>>();
  const known: KnownStatements = { about: new WeakMap(), within: new WeakMap() };
  for (const [seat, { traitor, principal }] of prepared.seats.entries())
    if (traitor !== true && principal < firstClient)
      kept.set(seat, transcript(group, { maxBytes, known }));
  return {
    watcher: { heard: (_at, seat, message) => kept.get(seat)?.observe(message) },
    found(word) {
      const heard = together(
        group,
        [...kept.values()].map((each) => each.heard()),
      );
      const culprits = judge(group, heard);
      const reason = whyNot(prepared, word, culprits.length, heard.forgotten);
      return reason === undefined ? { culprits } : { culprits, notProvable: reason };
    },
  };
}

/** Why fewer are convicted than it took, if it is so. */
function whyNot(
  { protocol, scenario }: Prepared,
  word: VerdictWord,
  convicted: number,
  forgotten: number,
): string | undefined {
  if (word === 'stalled' && convicted === 0)
    return 'who says nothing signs nothing: silence cannot be told from a slow network';
  if (word !== 'forked') return undefined;
  const { claims, hides, deniable } = protocol;
  const needed = leastLiars(scenario.attack, claims, scenario.f);
  if (convicted >= needed) return undefined;
  const so = `${convicted} convicted, and it takes ${needed}`;
  if (scenario.mutant !== undefined)
    return `${so}: the nodes go by wrong rules, and guilt is told by the right ones`;
  if (claims.faults === 'crash')
    return `${so}: messages made for crash faults do not say what they rest on`;
  if (deniable !== undefined) return `${so}: ${deniable}`;
  if (hides !== undefined) return `${so}: ${hides}`;
  if (forgotten > 0)
    return `${so}: the transcripts of the honest nodes are full and no longer reach back so far`;
  return `${so}: no honest node has heard more that was signed`;
}

/** The group of a run as proofs describe it; nothing without real keys. */
export function proofGroupOf({
  domain,
  publicKeys,
  protocol,
  scenario,
}: Prepared): ProofGroup | undefined {
  if (publicKeys === undefined) return undefined;
  return {
    domain,
    f: protocol.f,
    options: scenario.options ?? {},
    publicKeys: protocol.members.map((id) => publicKeys.get(id) as Uint8Array),
  };
}

/** The file of the proof against the culprits of a run with real keys, or nothing. */
export function guiltFileOf(prepared: Prepared, { culprits }: Guilt): string | undefined {
  const group = proofGroupOf(prepared);
  if (group === undefined || culprits.length === 0) return undefined;
  return guiltProof(prepared.group, group, culprits);
}
