/**
 * P of section 4.4 without its weight: view-changes name what is prepared, and whoever has not seen
 * the Prepares for it himself asks for them. So each proof travels once to each who needs it.
 */
import type { Certificate, ReplicaId, Signed } from '@quorumlab/core';
import { neverAnswered } from './answered.ts';
import { type Group, isMember } from './group.ts';
import {
  type Claim,
  type FetchProofs,
  type Prepare,
  type Proofs,
  proofsAtOnce,
} from './messages.ts';
import { validPrepared } from './new-view.ts';
import { type Context, claimKey, type Replica } from './state.ts';
import { lowWatermark } from './watermarks.ts';

/** The Prepares that prove `claim`, as far as this replica has them. */
function proofOf(replica: Replica, claim: Claim): Certificate<Prepare> | undefined {
  const own = replica.prepared.get(claim.sequence)?.proof;
  if (own?.body.view === claim.view && own.body.digest === claim.digest) return own;
  return replica.proofs.get(claimKey(claim));
}

/** Whether this replica has the Prepares that prove `claim`. */
export const isProven = (group: Group, replica: Replica, claim: Claim): boolean =>
  !group.rules.provesPrepared || proofOf(replica, claim) !== undefined;

const askedKey = (holder: ReplicaId, claim: Claim): string => `${holder}:${claimKey(claim)}`;

/** Asks `holder` for the proofs of `claims`, of each once in an attempt. */
export function askForProofs(
  replica: Replica,
  claims: readonly Claim[],
  holder: ReplicaId,
  ctx: Context,
): void {
  const asked: Claim[] = [];
  for (const claim of claims) {
    const key = askedKey(holder, claim);
    if (replica.asked.has(key)) continue;
    replica.asked.add(key);
    asked.push(claim);
  }
  for (let i = 0; i < asked.length; i += proofsAtOnce)
    ctx.send(holder, { kind: 'fetch-proofs', claims: asked.slice(i, i + proofsAtOnce) });
}

/** Somebody lacks proofs: send those that this replica has, its own and those it was shown. */
export function fetchProofs(
  replica: Replica,
  { from, claims }: Signed<FetchProofs>,
  ctx: Context,
): void {
  const { group } = ctx;
  if (!isMember(group, from) || from === ctx.self) return;
  const proofs: Certificate<Prepare>[] = [];
  for (const claim of claims) {
    const proof = proofOf(replica, claim);
    if (proof !== undefined) proofs.push(proof);
  }
  if (proofs.length === 0) return;
  const answered =
    replica.answered.get(from) ?? neverAnswered(group, replica.lastExecuted, ctx.now);
  // One answer is small beside this, so whoever has reported gets at least one: four windows of
  // proofs, then it waits for the next report. Nobody needs a proof twice.
  if (answered.proofs > 4 * group.window) return;
  replica.answered.set(from, { ...answered, proofs: answered.proofs + proofs.length });
  ctx.send(from, { kind: 'proofs', proofs });
}

/** Whether one of these proofs was asked for, and is not here. */
export const mayLearn = (group: Group, replica: Replica, message: Signed<Proofs>): boolean =>
  message.proofs.some(
    (proof) =>
      replica.asked.has(askedKey(message.from, proof.body)) &&
      proof.body.sequence > lowWatermark(replica) &&
      validPrepared(group, replica, proof),
  );

/** Keeps the proofs that were asked for. The host has checked their signatures. */
export function learnProofs(group: Group, replica: Replica, message: Signed<Proofs>): void {
  for (const proof of message.proofs) {
    const claim = proof.body;
    if (!replica.asked.has(askedKey(message.from, claim))) continue;
    if (claim.sequence <= lowWatermark(replica) || !validPrepared(group, replica, proof)) continue;
    replica.proofs.set(claimKey(claim), proof);
    if (replica.proofs.size > 4 * group.window) forgetOne(replica);
  }
}

/** Forgets a proof: of something that nobody claims any more, or else the oldest. */
function forgetOne(replica: Replica): void {
  const claimed = new Set<string>();
  for (const { prepared } of replica.viewChanges.values())
    for (const claim of prepared) claimed.add(claimKey(claim));
  let oldest: string | undefined;
  for (const key of replica.proofs.keys()) {
    if (!claimed.has(key)) return void replica.proofs.delete(key);
    oldest ??= key;
  }
  if (oldest !== undefined) replica.proofs.delete(oldest);
}

/**
 * Keeps the proofs of what a view begins with. Preparing it again in the view takes the place of
 * what this replica has prepared itself, and backups may ask for them after that.
 */
export function keepProofs(replica: Replica, claims: Iterable<Claim>): void {
  for (const claim of claims) {
    const proof = proofOf(replica, claim);
    if (proof !== undefined) replica.proofs.set(claimKey(claim), proof);
  }
}
