/** Chains: blocks by their ids, each of which extends its parent, down to the last final one. */
import { acceptable, batchSize, type Certificate } from '@quorumlab/core';
import { type Group, isMember } from './group.ts';
import type { Block, Notarization, Ref } from './messages.ts';
import { genesis, isLonger, type Kept, type Replica, refOf } from './state.ts';

/** What blocks are called: the digest of all that is in them, their parent's id included. */
export const idOf = ({ schemas, digest }: Pick<Group, 'schemas' | 'digest'>, block: Block) =>
  digest(schemas.content, block);

type Named = Pick<Ref, 'epoch' | 'id'>;

/** The block that is called so, if it is here. */
export function blockOf(replica: Replica, { epoch, id }: Named): Block | undefined {
  const kept = replica.blocks.get(epoch);
  return kept?.id === id ? kept.block : undefined;
}

/** The block that is called so, if it is known to be notarized; nothing: it is not. */
export function notarizedAs(replica: Replica, { epoch, id }: Named): Ref | undefined {
  if (id === genesis.id) return epoch === 0 ? genesis : undefined;
  if (id === replica.final.id) return replica.final;
  const votes = replica.notarized.get(epoch);
  return votes?.body.id === id ? refOf(votes) : undefined;
}

/** The blocks above the last final one up to `end`; nothing: one is missing, or on another path. */
export function pathTo(replica: Replica, end: Named): readonly Kept[] | undefined {
  const path: Kept[] = [];
  let at = end;
  while (at.epoch > replica.final.epoch) {
    const block = blockOf(replica, at);
    if (block === undefined) return undefined;
    path.push({ id: at.id, block });
    at = block.parent;
  }
  return at.id === replica.final.id ? path.reverse() : undefined;
}

/** The final block of this height, which is here: that of a snapshot that was just taken. */
export function finalAt(replica: Replica, height: number): Ref | undefined {
  let at = replica.final;
  while (at.height > height) {
    const parent = blockOf(replica, at)?.parent;
    if (parent === undefined) return undefined;
    at = { ...parent, height: at.height - 1 };
  }
  return at;
}

/** Requests are only in so many blocks above the last final one: further up blocks are empty. */
const maxFilledAbove = 64;

/**
 * Whether a block at `height` that extends `parent` may hold requests. Heights alone are no bound
 * for what is kept up to the next checkpoint: a batch may have 1 MiB.
 */
export function hasRoom(group: Group, replica: Replica, parent: Named, height: number): boolean {
  if (height > replica.final.height + maxFilledAbove) return false;
  const every = group.checkpointEvery;
  const first = Math.floor((height - 1) / every) * every + 1;
  let bytes = 0;
  let block = blockOf(replica, parent);
  while (block !== undefined && block.height >= first) {
    bytes += batchSize(block.batch);
    block = blockOf(replica, block.parent);
  }
  return bytes < group.intervalBytes;
}

/** Whether its requests may be in a block. The host has checked the clients' signatures. */
export const isValid = (group: Group, replica: Replica, block: Block): boolean =>
  acceptable(block.batch) &&
  (block.batch.length === 0 || hasRoom(group, replica, block.parent, block.height));

/** Whether `certificate` names a quorum of members, each once. */
export function isQuorum(group: Group, { seals }: Certificate<unknown>): boolean {
  let last = -1;
  for (const { from } of seals) {
    // Signers ascend, so whoever does not is there twice.
    if (from <= last || !isMember(group, from)) return false;
    last = from;
  }
  return seals.length >= group.quorum;
}

/** Whether this replica lacks a block of the longest notarized chain that it knows of. */
export const hasGap = (replica: Replica): boolean =>
  replica.tip !== null &&
  replica.tip.body.epoch > replica.final.epoch &&
  pathTo(replica, replica.tip.body) === undefined;

/** The longest notarized chain without a gap: of which every block above the final one is here. */
export function wholeTip(replica: Replica): Notarization | null {
  if (!hasGap(replica)) return replica.tip;
  const whole = new Set([replica.final.id]);
  let longest: Notarization | null = null;
  // A parent is of an earlier epoch.
  for (const [epoch, votes] of [...replica.notarized].sort(([one], [other]) => one - other)) {
    const block = blockOf(replica, { epoch, id: votes.body.id });
    if (block === undefined || !whole.has(block.parent.id)) continue;
    whole.add(votes.body.id);
    if (isLonger(votes, longest)) longest = votes;
  }
  return longest;
}

/** Whether anything here waits to become final. */
export const isBusy = (replica: Replica): boolean =>
  replica.waiting.size > 0 || replica.filledIn > replica.final.epoch || hasGap(replica);
