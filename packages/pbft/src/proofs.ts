/**
 * P of section 4.4 without its weight: view-changes name what is prepared, and whoever has not seen
 * the Prepares for it himself asks for them. So each proof travels once to each who needs it.
 */
import type { ReplicaId, Signed } from '@quorumlab/core';
import { neverAnswered } from './answered.ts';
import type { Group } from './group.ts';
import { type Claim, type FetchProofs, type Proofs, proofsAtOnce } from './messages.ts';
import { validPrepared } from './new-view.ts';
import { type Ctx, claimKey, isMember, lowWatermark, type PbftReplica } from './state.ts';

/** Whether this replica has the Prepares that prove `claim`. */
export function isProven(group: Group, replica: PbftReplica, claim: Claim): boolean {
  if (!group.rules.provesPrepared) return true;
  const own = replica.prepared.get(claim.sequence)?.proof.body;
  if (own?.view === claim.view && own.digest === claim.digest) return true;
  return replica.proofs.has(claimKey(claim));
}

/** Asks `holder` for the proofs of `claims`, of each once in an attempt. */
export function askForProofs(
  replica: PbftReplica,
  claims: readonly Claim[],
  holder: ReplicaId,
  ctx: Ctx,
): void {
  const sequences: number[] = [];
  for (const claim of claims) {
    const key = `${holder}:${claimKey(claim)}`;
    if (replica.asked.has(key)) continue;
    replica.asked.add(key);
    sequences.push(claim.sequence);
  }
  for (let i = 0; i < sequences.length; i += proofsAtOnce)
    ctx.send(holder, { kind: 'fetch-proofs', sequences: sequences.slice(i, i + proofsAtOnce) });
}

/** Somebody lacks proofs: send what this replica has itself, and what it was shown. */
export function fetchProofs(
  group: Group,
  replica: PbftReplica,
  message: Signed<FetchProofs>,
  ctx: Ctx,
): void {
  const { from } = message;
  if (!isMember(group, from) || from === ctx.self) return;
  const wanted = new Set(message.sequences);
  const found = [...replica.proofs.values()].filter(({ body }) => wanted.has(body.sequence));
  for (const sequence of wanted) {
    const own = replica.prepared.get(sequence)?.proof;
    if (own !== undefined) found.push(own);
  }
  const answered =
    replica.answered.get(from) ?? neverAnswered(group, replica.lastExecuted, ctx.now);
  // Nobody needs a proof twice: four windows of them, then it waits for the next report.
  if (answered.proofs + found.length > 4 * group.window) return;
  replica.answered.set(from, { ...answered, proofs: answered.proofs + found.length });
  for (let i = 0; i < found.length; i += proofsAtOnce)
    ctx.send(from, { kind: 'proofs', proofs: found.slice(i, i + proofsAtOnce) });
}

/** Keeps the proofs that may be needed. The host has checked their signatures. */
export function learnProofs(group: Group, replica: PbftReplica, message: Proofs): void {
  const low = lowWatermark(replica);
  for (const proof of message.proofs) {
    const { sequence } = proof.body;
    if (sequence <= low || sequence > low + 2 * group.window || !validPrepared(group, proof))
      continue;
    replica.proofs.set(claimKey(proof.body), proof);
    if (replica.proofs.size <= 4 * group.window) continue;
    for (const oldest of replica.proofs.keys()) {
      replica.proofs.delete(oldest);
      break;
    }
  }
}
