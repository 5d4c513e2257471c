/**
 * What no honest replica signs besides: lies that need two statements of different kinds, or of
 * different views, to be seen. They hold in whichever order the two were signed.
 */
import { type Breach, breachOf, type Digest } from '@quorumlab/core';
import type { Commit, Message, ViewChange } from './messages.ts';

interface Placed {
  readonly epoch: number;
  readonly view: number;
  readonly sequence: number;
  readonly digest: Digest;
}

const rule = breachOf<Message>();
const placeOf = ({ epoch, view, sequence }: Placed): string => `${epoch}/${view}/${sequence}`;

/**
 * Section 4.2: a replica has one pre-prepare for a number in a view. What it prepares, commits and
 * orders as primary is all of that one. Section 4.4: P holds what was prepared in the highest view
 * for each number above the checkpoint; who commits is prepared, and keeps the proof until a
 * checkpoint covers the number.
 */
export const breaches: readonly Breach<Message>[] = [
  rule('prepare', 'commit', (one, other) => differ('prepare', one, other), placeOf),
  rule('pre-prepare', 'commit', (one, other) => differ('pre-prepare', one, other), placeOf),
  rule('pre-prepare', 'prepare', (one, other) => differ('pre-prepare', one, other), placeOf),
  rule('new-view', 'commit', ({ epoch, view, orders }, commit) => {
    if (epoch !== commit.epoch || view !== commit.view) return undefined;
    const order = orders.find(({ sequence }) => sequence === commit.sequence);
    return order && differ('new-view', { epoch, view, ...order }, commit);
  }),
  rule('commit', 'view-change', forgotten),
];

function differ(kind: string, one: Placed, other: Placed & { kind: string }): string | undefined {
  if (one.digest === other.digest) return undefined;
  return (
    `signed a ${kind} of ${short(one.digest)} and a ${other.kind} of ${short(other.digest)} for ` +
    `one number, ${one.sequence}, in one view, ${one.view}`
  );
}

function forgotten(commit: Commit, report: ViewChange): string | undefined {
  if (report.epoch !== commit.epoch) return undefined;
  if (report.view <= commit.view || isReported(commit, report)) return undefined;
  return (
    `committed ${short(commit.digest)} at ${commit.sequence} in view ${commit.view}, and did not ` +
    `report it when it left for view ${report.view}`
  );
}

function isReported(
  { view, sequence, digest }: Commit,
  { checkpoint, prepared }: ViewChange,
): boolean {
  if ((checkpoint?.sequence ?? 0) >= sequence) return true;
  const claim = prepared.find((each) => each.sequence === sequence);
  if (claim === undefined || claim.view < view) return false;
  return claim.view > view || claim.digest === digest;
}

const short = (digest: Digest): string => `${digest.slice(0, 8)}…`;
