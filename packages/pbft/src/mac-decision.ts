/**
 * The decision procedure of TOCS 2002, section 3.2.4, figure 4: with what a view begins that rests
 * on a set S of view-changes, none of which can be proven. Pure functions of S.
 */
import type { ReplicaId, Signed } from '@quorumlab/core';
import { digestOf, nullBatch } from './batches.ts';
import type { Group } from './group.ts';
import type { MacNewView, MacViewChange } from './mac-messages.ts';
import type { Claim, Ordered, Reached } from './messages.ts';
import type { Context } from './state.ts';
import { isVoter, type Knowing, quorumOf } from './votes.ts';

/** A view-change as it is looked up: by number. */
interface Report {
  readonly low: number;
  readonly prepared: ReadonlyMap<number, Claim>;
  readonly prePrepared: ReadonlyMap<number, readonly Claim[]>;
}

/** S, and how many of it are needed. */
export interface Reports {
  readonly all: readonly Report[];
  /** The highest checkpoint that may be chosen; null: the empty state; absent: none yet. */
  readonly checkpoint: Reached | null | undefined;
  readonly quorum: number;
  readonly group: Group;
}

/** Whether `message` could be an honest replica's. */
export function validReport(
  group: Group,
  replica: Knowing,
  message: Signed<MacViewChange>,
): boolean {
  const { from, view, low, checkpoints, prepared, prePrepared } = message;
  if (!isVoter(group, replica, from) || low % group.checkpointEvery !== 0) return false;
  let last = -1;
  for (const { sequence } of checkpoints) {
    if (sequence <= last || sequence < low || sequence % group.checkpointEvery !== 0) return false;
    last = sequence;
  }
  if (low > 0 && checkpoints[0]?.sequence !== low) return false;
  return (
    areClaims(group, prepared, { view, low, most: 1 }) &&
    areClaims(group, prePrepared, { view, low, most: 2 })
  );
}

/** At most so many for each number between the watermarks, of earlier views. */
function areClaims(
  group: Group,
  claims: readonly Claim[],
  { view, low, most }: { readonly view: number; readonly low: number; readonly most: number },
): boolean {
  let last: Claim | undefined;
  let repeated = 0;
  for (const claim of claims) {
    const { sequence } = claim;
    if (sequence <= low || sequence > low + group.window || claim.view >= view) return false;
    if (last !== undefined && sequence < last.sequence) return false;
    repeated = sequence === last?.sequence ? repeated + 1 : 1;
    if (repeated > most) return false;
    if (repeated > 1 && last !== undefined && claim.view >= last.view) return false;
    last = claim;
  }
  return true;
}

/** S, ready to be asked. */
export function reportsOf(
  group: Group,
  replica: Knowing,
  viewChanges: readonly MacViewChange[],
): Reports {
  const quorum = quorumOf(group, replica);
  const all = viewChanges.map(({ low, prepared, prePrepared }) => {
    const bySequence = new Map<number, Claim[]>();
    for (const claim of prePrepared) {
      const before = bySequence.get(claim.sequence);
      if (before === undefined) bySequence.set(claim.sequence, [claim]);
      else before.push(claim);
    }
    return {
      low,
      prepared: new Map(prepared.map((claim) => [claim.sequence, claim])),
      prePrepared: bySequence,
    };
  });
  return { all, checkpoint: checkpointOf(group, quorum, viewChanges), quorum, group };
}

/**
 * The highest checkpoint that f+1 have, so that it is right, and above which a quorum can say what
 * was prepared.
 */
function checkpointOf(
  { weak }: Group,
  quorum: number,
  viewChanges: readonly MacViewChange[],
): Reached | null | undefined {
  const holders = new Map<string, { readonly reached: Reached; count: number }>();
  for (const { checkpoints } of viewChanges)
    for (const reached of checkpoints) {
      const key = `${reached.sequence}/${reached.digest}`;
      const known = holders.get(key) ?? { reached, count: 0 };
      known.count += 1;
      holders.set(key, known);
    }
  const reaches = (sequence: number): boolean =>
    viewChanges.filter(({ low }) => low <= sequence).length >= quorum;
  let highest: Reached | null | undefined = reaches(0) ? null : undefined;
  for (const { reached, count } of holders.values()) {
    if (count < weak || reached.sequence <= (highest?.sequence ?? 0)) continue;
    if (reaches(reached.sequence)) highest = reached;
  }
  return highest;
}

const most = ({ all }: Reports, is: (report: Report) => boolean, least: number): boolean => {
  let count = 0;
  for (const report of all) if (is(report)) count += 1;
  return count >= least;
};

/**
 * A1: of a quorum each has prepared nothing for the number, or that in an earlier view, or the
 * candidate. So nothing else was committed there in this view or a later one.
 */
const a1 = (reports: Reports, { sequence, view, digest }: Claim): boolean =>
  most(
    reports,
    ({ low, prepared }) => {
      const claim = prepared.get(sequence);
      if (claim === undefined) return low < sequence;
      return claim.view < view || (claim.view === view && claim.digest === digest);
    },
    reports.quorum,
  );

/**
 * A2: of f+1 each has pre-prepared the candidate in this view or a later one; or two batches in
 * such views. One of them is honest, so nothing else was committed there in an earlier view: all
 * that an honest replica pre-prepares behind a committed batch is that one.
 */
const a2 = (reports: Reports, { sequence, view, digest }: Claim): boolean =>
  !reports.group.rules.asksPrePrepared ||
  most(
    reports,
    ({ prePrepared }) => {
      const claims = prePrepared.get(sequence) ?? [];
      return (
        claims.some((claim) => claim.digest === digest && claim.view >= view) ||
        (claims.length > 1 && claims.every((claim) => claim.view >= view))
      );
    },
    reports.group.weak,
  );

/** B: a quorum has prepared nothing for the number, so nothing was committed there. */
const b = (reports: Reports, sequence: number): boolean =>
  most(reports, ({ low, prepared }) => low < sequence && !prepared.has(sequence), reports.quorum);

/** What may be chosen for `sequence` by A1 and A2, the latest view first. */
function candidates(reports: Reports, sequence: number): Claim[] {
  const known = new Map<string, Claim>();
  for (const { prepared } of reports.all) {
    const claim = prepared.get(sequence);
    if (claim !== undefined) known.set(`${claim.view}/${claim.digest}`, claim);
  }
  return [...known.values()]
    .filter((claim) => a1(reports, claim) && a2(reports, claim))
    .sort((one, other) => other.view - one.view || (one.digest < other.digest ? -1 : 1));
}

/** Everything above the checkpoint that somebody claims. */
function* numbersOf({ all, checkpoint, group }: Reports): Iterable<number> {
  const low = checkpoint?.sequence ?? 0;
  const last = Math.max(low, ...all.flatMap(({ prepared }) => [...prepared.keys()]));
  for (let n = low + 1; n <= Math.min(low + group.window, last); n++) yield n;
}

/** What the primary chooses, or the batches without which it cannot. */
export interface Selection {
  readonly checkpoint: Reached | null;
  readonly orders: readonly Ordered[];
}

/**
 * The choice of the primary: for each number A, with a batch that it has (A3), or else B. Nothing,
 * if S is too small for one; then `lacks` is told which batches would have been chosen.
 */
export function select(
  reports: Reports,
  has: (order: Ordered) => boolean,
  lacks: (order: Ordered) => void,
  ctx: Context,
): Selection | undefined {
  if (reports.checkpoint === undefined) return undefined;
  const nothing = digestOf(nullBatch, ctx);
  const orders: Ordered[] = [];
  let length = 0;
  let isWhole = true;
  for (const sequence of numbersOf(reports)) {
    const chosen = candidates(reports, sequence);
    const ready = chosen.find(has);
    const isFree = b(reports, sequence);
    if (ready === undefined) for (const each of chosen) lacks(each);
    if (ready === undefined && !isFree) isWhole = false;
    orders.push({ sequence, digest: ready?.digest ?? nothing });
    // At the end null requests that nobody prepared are left out: the view gives these numbers out.
    if (!isFree || (ready !== undefined && ready.digest !== nothing)) length = orders.length;
  }
  return isWhole ? { checkpoint: reports.checkpoint, orders: orders.slice(0, length) } : undefined;
}

/** Whether a primary may begin a view like this, by the same procedure. */
export function isJustified(
  reports: Reports,
  { checkpoint, orders }: MacNewView,
  ctx: Context,
): boolean {
  const { checkpoint: own } = reports;
  if (own === undefined || own?.sequence !== checkpoint?.sequence) return false;
  if (own?.digest !== checkpoint?.digest) return false;
  const nothing = digestOf(nullBatch, ctx);
  const low = own?.sequence ?? 0;
  if (orders.some(({ sequence }, i) => sequence !== low + 1 + i)) return false;
  if (orders.length > reports.group.window) return false;
  for (let sequence = low + 1; sequence <= low + orders.length; sequence++) {
    const digest = orders[sequence - low - 1]?.digest;
    const isChosen = candidates(reports, sequence).some((each) => each.digest === digest);
    if (!isChosen && !(digest === nothing && b(reports, sequence))) return false;
  }
  for (const sequence of numbersOf(reports))
    if (sequence > low + orders.length && !b(reports, sequence)) return false;
  return true;
}

/** Whether V names voters, each once, and a quorum of them. */
export function isFormed(group: Group, replica: Knowing, { viewChanges }: MacNewView): boolean {
  let last: ReplicaId = -1;
  for (const { member } of viewChanges) {
    if (member <= last || !isVoter(group, replica, member)) return false;
    last = member;
  }
  return viewChanges.length >= quorumOf(group, replica);
}
