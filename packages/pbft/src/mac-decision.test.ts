import { testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { make } from '../test/group.ts';
import { claim, strange } from '../test/messages.ts';
import { nullBatch } from './batches.ts';
import type { Group } from './group.ts';
import { isJustified, reportsOf, select, validReport } from './mac-decision.ts';
import type { MacViewChange } from './mac-messages.ts';
import type { Ordered } from './messages.ts';
import type { Context } from './state.ts';

const network = make({ authentication: 'mac' });
const group = network.protocol.group as Group;
const replica = network.state(0);
const ctx = {
  digest: testDigest,
  group,
} as unknown as Context;
const nothing = testDigest(group.schemas.content, nullBatch);
const [ann, bob] = [strange('a'), strange('b')];

const report = (part: Partial<MacViewChange> = {}): MacViewChange => ({
  kind: 'mac-view-change',
  view: 3,
  low: 0,
  checkpoints: [],
  prepared: [],
  prePrepared: [],
  ...part,
});
const holder = (digest: string, view = 0, sequence = 1): MacViewChange =>
  report({
    prepared: [claim(sequence, digest, view)],
    prePrepared: [claim(sequence, digest, view)],
  });

/** What the primary chooses of these, and whether a backup finds it justified; or nothing. */
function chosen(all: readonly MacViewChange[], has: (order: Ordered) => boolean = () => true) {
  const reports = reportsOf(group, replica, all);
  const selection = select(reports, has, () => {}, ctx);
  if (selection === undefined) return undefined;
  const viewChanges = all.map((_, member) => ({ member, digest: strange('d') }));
  const message = { kind: 'mac-new-view', view: 3, viewChanges, ...selection } as const;
  expect(isJustified(reports, message, ctx)).toBe(true);
  for (const digest of [ann, bob, nothing])
    for (const [i, order] of selection.orders.entries()) {
      if (order.digest === digest) continue;
      const orders = selection.orders.with(i, { ...order, digest });
      expect(isJustified(reports, { ...message, orders }, ctx)).toBe(false);
    }
  return selection.orders.map(({ digest }) => digest);
}

describe('the decision procedure', () => {
  it('A: takes what a quorum may have committed, whoever of them is heard', () => {
    for (const silent of [0, 1, 2, 3]) {
      const all = [holder(ann), holder(ann), holder(ann), report()];
      const heard = all.filter((_, i) => i !== silent);
      expect(chosen(heard), `without ${silent}`).toEqual([ann]);
    }
  });

  it('A1: takes the later of two views, as long as nobody else could have committed', () => {
    expect(chosen([holder(ann, 0), holder(bob, 1), holder(bob, 1)])).toEqual([bob]);
    // Ann was prepared later than Bob, by one; of the three who deny her one is too few.
    expect(chosen([holder(ann, 2), holder(bob, 1), holder(bob, 1)])).toBeUndefined();
  });

  it('A2: takes nothing that one alone says was pre-prepared', () => {
    expect(chosen([holder(bob, 2), holder(ann), holder(ann)])).toBeUndefined();
    expect(chosen([holder(bob, 2), holder(ann), holder(ann), holder(ann)])).toEqual([ann]);
  });

  it('A2: who pre-prepared two batches since then vouches too, so two are enough', () => {
    // Two replicas pre-prepared Ann in view 0, and then others; one has prepared her.
    const later = [claim(1, bob, 2), claim(1, strange('c'), 1)];
    const forgot = report({ prePrepared: later });
    expect(chosen([holder(ann), forgot, report()])).toEqual([ann]);
    // One who has pre-prepared a single other batch says nothing about Ann.
    const other = report({ prePrepared: [claim(1, bob, 2)] });
    expect(chosen([holder(ann), other, report()])).toBeUndefined();
  });

  it('A3, B: without the batch a primary waits, or takes the null request where it may', () => {
    const lacks = ({ digest }: Ordered): boolean => digest !== ann;
    expect(chosen([holder(ann), holder(ann), report()], lacks)).toBeUndefined();
    const reports = reportsOf(group, replica, [holder(ann), report(), report(), report()]);
    expect(select(reports, lacks, () => {}, ctx)?.orders).toEqual([]);
  });

  it('keeps a null request at the end only if it may have been committed', () => {
    expect(chosen([holder(nothing), holder(nothing), report()])).toEqual([nothing]);
    expect(chosen([report(), report(), report()])).toEqual([]);
  });

  it('begins at the highest checkpoint that f+1 have, with what a quorum says above it', () => {
    const at = (low: number, ...more: readonly number[]): MacViewChange =>
      report({
        low,
        checkpoints: [...(low > 0 ? [low] : []), ...more].map((sequence) => ({
          sequence,
          digest: ann,
        })),
      });
    const reached = (...all: readonly MacViewChange[]) =>
      reportsOf(group, replica, all).checkpoint?.sequence;
    expect(reached(at(0), at(0, 4), at(0, 4))).toBe(4);
    expect(reached(at(0), at(0), at(0, 4))).toBeUndefined();
    expect(reached(at(4), at(0, 4), at(0))).toBe(4);
    // One is above it, and the others have not got there: of two nobody knows enough.
    expect(reached(at(8), at(0, 4), at(4))).toBeUndefined();
  });
});

describe('a report', () => {
  const isValid = (part: Partial<MacViewChange>): boolean =>
    validReport(group, replica, {
      ...report(part),
      from: 1,
      signature: network.sign(report(), 1).signature,
    });

  it('is one of earlier views, between watermarks, in order, and names its own checkpoint', () => {
    expect(isValid({})).toBe(true);
    expect(isValid({ prePrepared: [claim(1, ann, 2), claim(1, bob, 1)] })).toBe(true);
    for (const part of [
      { low: 3, checkpoints: [{ sequence: 3, digest: ann }] },
      { low: 4 },
      { checkpoints: [4, 4].map((sequence) => ({ sequence, digest: ann })) },
      { prepared: [claim(1, ann, 3)] },
      { prepared: [claim(9, ann)] },
      { prepared: [claim(0, ann)] },
      { prepared: [claim(2, ann), claim(1, ann)] },
      { prepared: [claim(1, ann, 1), claim(1, bob)] },
      { prePrepared: [claim(1, ann, 1), claim(1, bob, 1)] },
      { prePrepared: [claim(1, ann, 2), claim(1, bob, 1), claim(1, ann)] },
    ])
      expect(isValid(part), JSON.stringify(part)).toBe(false);
  });
});
