/**
 * Two published rules for leaving a view, each of which was wrong: Abraham, Gueta, Malkhi, Alvisi,
 * Kotla and Martin, "Revisiting Fast Practical Byzantine Fault Tolerance" (arXiv 1712.01367). The
 * runs are ours, made from what that note claims: four replicas, one or two view changes.
 */
import { describe, expect, test } from 'vitest';
import { fab, latestFirst, type Report, zyzzyva } from './fast.ts';

const report = (from: number, accepted: Report['accepted'], proof: Report['proof'] = null) => ({
  from,
  accepted,
  proof,
});
const a = { value: 'a', view: 0 };
const b = { value: 'b', view: 0 };

describe('Zyzzyva', () => {
  // View 0: the liar 0 orders a at 1, and b at 2 and 3. A client has the answers of 0, 2 and 3 for
  // b, and gives their certificate to 0 alone.
  const intoView1 = [report(0, a), report(1, a), report(2, b)];
  // View 1 orders a; all four answer alike, so its client is done on the fast path. Then 0 shows
  // the certificate.
  const again = { value: 'a', view: 1 };
  const intoView2 = [report(0, null, b), report(2, again), report(3, again)];

  test('B-21: an old certificate beats what a client was told since: its request is undone', () => {
    expect(zyzzyva(intoView1)).toBe('a');
    expect(zyzzyva(intoView2)).toBe('b');
  });

  test('is right if the latest view in which anything was decided, maybe, comes first', () => {
    expect(latestFirst(intoView1)).toBe('a');
    expect(latestFirst(intoView2)).toBe('a');
    // Of the same view a certificate counts more: f+1 may have been told otherwise by a liar.
    expect(latestFirst([report(0, a), report(1, a), report(2, b, b)])).toBe('b');
  });
});

describe('FaB', () => {
  // The liar 0 proposes v to 1 and 2 and w to 3, and accepts both; 1 has the proof for v. The new
  // primary hears 0, which says w, 1 and 3.
  const v = { value: 'v', view: 0 };
  const w = { value: 'w', view: 0 };
  const reports = [report(0, w), report(1, v, v), report(3, w)];

  test('B-22: a proof bars one value, two reports the other: nothing may be proposed', () => {
    expect(fab(reports, ['v', 'w', 'another'])).toEqual([]);
  });

  test('goes on if what is proven counts more than what is reported of the same view', () => {
    expect(latestFirst(reports)).toBe('v');
  });
});
