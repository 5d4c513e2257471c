/**
 * Getting a snapshot from others (architecture 11.2). The digest comes from the protocol: from a
 * certificate, or from a leader that is trusted not to lie. Holders are never trusted: what does
 * not match is thrown away, and who sent it is not asked again. All holders are asked at once, each
 * for as much as it answers well; what one owes for long another is asked for too.
 *
 * Why a transfer ends: while a holder that answers has the snapshot, each of its chunks comes after
 * finitely many questions. If nobody has it any more, another one that the protocol has wished for
 * is fetched instead: at once when all say that they lack it, and otherwise when nothing comes, or
 * too little. For too little the wait doubles each time, so in the end it is longer than any
 * snapshot takes that stays with its holders. Chunks are kept across that, whatever is fetched.
 */
import { type Digest, type Fetch, type Instant, ms, type Signed, type Slot } from '@quorumlab/core';
import {
  answered,
  type Holder,
  leaveAlone,
  longestPatience,
  newHolder,
  overdue,
  widen,
} from './holders.ts';
import type { SnapshotChunk, SnapshotManifest } from './messages.ts';
import { isChunk, isComplete, rootOf } from './snapshots.ts';
import { advance } from './transfer-asking.ts';
import {
  mostOthers,
  type Target,
  type Transfer,
  type TransferPorts,
  whole,
} from './transfer-state.ts';

/** Without anything new for so long, what is fetched is given up for another one. */
const firstStall = ms(1000);
const longestStall = ms(8000);
/** With fewer chunks than one in this time too, measured over a while that doubles: see above. */
const slowest = ms(250);
const firstDwell = ms(2000);

/** A new transfer. */
export function begin(wanted: Fetch, ports: TransferPorts): Transfer {
  const { now } = ports;
  const transfer: Transfer = {
    slot: wanted.slot,
    root: wanted.digest,
    holders: wanted.holders.map(newHolder),
    others: [],
    liars: new Set(),
    manifest: undefined,
    missing: new Map(),
    touched: now,
    stall: firstStall,
    got: 0,
    since: now,
    dwell: firstDwell,
    alarm: now,
  };
  advance(transfer, ports);
  return transfer;
}

/** The protocol wishes for a snapshot while one is fetched: perhaps this one, perhaps another. */
export function alsoWanted(transfer: Transfer, wanted: Fetch, ports: TransferPorts): void {
  if (wanted.slot === transfer.slot && wanted.digest === transfer.root) {
    for (const id of wanted.holders)
      if (!transfer.holders.some((each) => each.id === id)) transfer.holders.push(newHolder(id));
  } else {
    const known = transfer.others.find((each) => isSame(each, wanted));
    const left = transfer.others.filter((each) => each !== known);
    const holders = [...new Set([...wanted.holders, ...(known?.holders ?? [])])];
    transfer.others = [...left, { ...known, ...wanted, holders }].slice(-mostOthers);
  }
  maybeTurn(transfer, ports);
  advance(transfer, ports);
}

const isSame = (one: Fetch, other: Fetch): boolean =>
  one.slot === other.slot && one.digest === other.digest;

/**
 * Drops what decisions have led to: what was fetched, too. False: nothing is left that would have
 * to be fetched.
 */
export function outlive(transfer: Transfer, next: Slot, ports: TransferPorts): boolean {
  transfer.others = transfer.others.filter(({ slot }) => slot >= next);
  const target = transfer.others.at(-1);
  if (target === undefined) return false;
  transfer.others = transfer.others.slice(0, -1);
  turn(transfer, target, ports);
  advance(transfer, ports);
  return true;
}

/** Takes a manifest: its sender holds the snapshot. */
export function onManifest(
  transfer: Transfer,
  message: Signed<SnapshotManifest>,
  ports: TransferPorts,
): void {
  const holder = heardOf(transfer, message.from);
  if (holder === undefined || holder.state === 'ready' || message.slot !== transfer.slot) return;
  const { kind, slot, size, chunks } = message;
  const manifest: SnapshotManifest = { kind, slot, size, chunks };
  // To digest a manifest of thousands of chunks takes long, and all but the first are its copies.
  const known = transfer.manifest !== undefined && isSameManifest(transfer.manifest, manifest);
  const root = known ? transfer.root : rootOf(manifest, ports.digest);
  if (root !== transfer.root || !isComplete(manifest)) {
    // A late answer about what was fetched before is no lie.
    if (!transfer.others.some(({ digest }) => digest === root)) blame(transfer, holder);
  } else {
    holder.state = 'ready';
    answered(holder, holder.askedAt, ports.now);
    if (transfer.manifest === undefined) {
      take(transfer, manifest, ports);
      progress(transfer, ports.now);
    }
  }
  maybeTurn(transfer, ports);
  advance(transfer, ports);
}

const isSameManifest = (one: SnapshotManifest, other: SnapshotManifest): boolean =>
  one.slot === other.slot &&
  one.size === other.size &&
  one.chunks.length === other.chunks.length &&
  one.chunks.every((name, i) => name === other.chunks[i]);

/** The manifest is known, and with it what is missing. */
function take(transfer: Transfer, manifest: SnapshotManifest, ports: TransferPorts): void {
  transfer.manifest = manifest;
  transfer.missing = new Map();
  manifest.chunks.forEach((name, index) => {
    if (!transfer.missing.has(name) && !ports.has(name))
      transfer.missing.set(name, { index, asked: [], underWay: 0, since: 0 });
  });
  const needed = new Set(manifest.chunks);
  for (const { manifest: before } of transfer.others)
    for (const name of before?.chunks ?? []) needed.add(name);
  ports.retain(needed);
}

/** Takes a chunk. */
export function onChunk(
  transfer: Transfer,
  { from, root, index, bytes }: Signed<SnapshotChunk>,
  ports: TransferPorts,
): void {
  const holder = heardOf(transfer, from);
  const name = transfer.manifest?.chunks[index];
  if (holder === undefined || name === undefined || root !== transfer.root) return;
  const since = holder.owes.get(name) ?? holder.late.get(name);
  if (since === undefined) return; // Nobody is listened to who was not asked.
  const wanted = transfer.missing.get(name);
  if (wanted !== undefined && !isChunk(bytes, name, ports.digest)) {
    blame(transfer, holder);
    maybeTurn(transfer, ports);
    return advance(transfer, ports);
  }
  answered(holder, since, ports.now);
  if (holder.owes.delete(name)) widen(holder);
  holder.late.delete(name);
  if (wanted !== undefined) {
    transfer.missing.delete(name);
    ports.store(name, bytes);
    transfer.got += 1;
    progress(transfer, ports.now);
  }
  advance(transfer, ports);
}

function progress(transfer: Transfer, now: Instant): void {
  transfer.touched = now;
  transfer.stall = firstStall;
}

/** Takes "I have no such snapshot": it may have it later, so it is asked again, but not soon. */
export function onAbsent(
  transfer: Transfer,
  { from, root }: Signed<{ readonly root: Digest }>,
  ports: TransferPorts,
): void {
  const holder = heardOf(transfer, from);
  if (holder === undefined || root !== transfer.root) return;
  release(transfer, holder);
  holder.state = 'absent';
  leaveAlone(holder, ports.now);
  maybeTurn(transfer, ports);
  advance(transfer, ports);
}

/** `upon service/transfer timeout`: something is late, or somebody may be asked again. */
export function onTransferTimeout(transfer: Transfer, ports: TransferPorts): void {
  const { holders, missing } = transfer;
  const { now } = ports;
  transfer.alarm = now;
  for (const holder of holders) {
    const late = overdue(holder, now);
    for (const name of late) letGo(transfer, name);
    if (late.length > 0) leaveAlone(holder, now);
  }
  // More than f liars there are not, and then nobody is left who has what is wanted.
  if (holders.every(({ state }) => state === 'liar') && now >= transfer.touched + longestPatience)
    for (const holder of holders) forgive(transfer, holder, now);
  for (const name of missing.keys()) if (ports.has(name)) missing.delete(name);
  maybeTurn(transfer, ports);
  if (now >= transfer.since + transfer.dwell) measure(transfer, now);
  advance(transfer, ports);
}

/** The holder `from`, if it is one that is listened to. */
const heardOf = (transfer: Transfer, from: number): Holder | undefined =>
  transfer.holders.find(({ id, state }) => id === from && state !== 'liar');

/** Who sent what does not match its digest is not asked again. */
function blame(transfer: Transfer, holder: Holder): void {
  release(transfer, holder);
  holder.state = 'liar';
  transfer.liars.add(holder.id);
}

function forgive(transfer: Transfer, holder: Holder, now: Instant): void {
  transfer.liars.delete(holder.id);
  transfer.touched = now;
  holder.state = 'unheard';
  holder.rest = now;
}

/** Others may be asked for what `holder` owes. */
function release(transfer: Transfer, { owes, late }: Holder): void {
  for (const name of owes.keys()) letGo(transfer, name);
  owes.clear();
  late.clear();
}

function letGo(transfer: Transfer, name: Digest): void {
  const wanted = transfer.missing.get(name);
  if (wanted !== undefined) wanted.underWay -= 1;
}

function measure(transfer: Transfer, now: Instant): void {
  transfer.since = now;
  transfer.got = 0;
}

/** Fetches another snapshot if it is time to: see the comment at the top. */
function maybeTurn(transfer: Transfer, ports: TransferPorts): void {
  const { holders, touched, stall, since, got, dwell } = transfer;
  const { now } = ports;
  const target = transfer.others.at(-1);
  if (target === undefined || whole(transfer) !== undefined) return;
  const isLost = holders.every(({ state }) => state === 'absent' || state === 'liar');
  const isStill = now >= touched + stall;
  const isSlow = now >= since + dwell && now - since > got * slowest;
  if (!isStill && !isSlow && !(isLost && !target.tried)) return;
  if (isStill) transfer.stall = Math.min(2 * stall, longestStall);
  if (isSlow) transfer.dwell *= 2;
  const { slot, root: digest, manifest } = transfer;
  const ids = holders.map(({ id }) => id);
  // One manifest is kept, and the chunks it names; what was given up earlier would begin anew.
  const others = transfer.others.slice(0, -1).map(({ manifest: _, ...each }) => each);
  const given = { slot, digest, holders: ids, tried: true, ...(manifest && { manifest }) } as const;
  transfer.others = [given, ...others];
  turn(transfer, target, ports);
}

/** From here on `target` is fetched. */
function turn(transfer: Transfer, target: Target, ports: TransferPorts): void {
  const { now } = ports;
  transfer.slot = target.slot;
  transfer.root = target.digest;
  transfer.holders = target.holders.map((id) => {
    const holder = newHolder(id);
    return transfer.liars.has(id) ? { ...holder, state: 'liar' } : holder;
  });
  transfer.manifest = undefined;
  transfer.missing = new Map();
  transfer.touched = now;
  measure(transfer, now);
  if (target.manifest !== undefined) take(transfer, target.manifest, ports);
}
