/** How long a part of a snapshot is waited for, how much is asked for, and whom then. */
import { type Digest, ms } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { donor, operation } from '../test/donor.ts';
import { alarm, asks, chunksAsked, getting } from '../test/getting.ts';
import { requestOf } from '../test/puppet.ts';
import { digestOf } from '../test/world.ts';
import type { ServiceMessage, SnapshotManifest } from './messages.ts';
import { rootOf } from './snapshots.ts';

const large = donor(80);
const [early, later] = [donor(12), donor(20)];

type Getting = ReturnType<typeof getting>;
interface Target {
  readonly slot: number;
  readonly digest: Digest;
}
const newest = (of: ReturnType<typeof donor>): Target => of.newest() as Target;

const rootIn = (manifest: SnapshotManifest): Digest => rootOf(manifest, digestOf);

/** It is to fetch what `of` has from `holders`, too. */
const wishes = ({ one }: Getting, of: ReturnType<typeof donor>, holders: readonly number[]) =>
  one.does((ctx) => ctx.fetchSnapshot(newest(of).slot, newest(of).digest, holders));

/** RFC 6298 in whole numbers: what is waited for after answers that took so long. */
function patienceAfter(answers: readonly number[]): number {
  let [smoothed, variation] = [0, 0];
  for (const [i, took] of answers.entries()) {
    variation =
      i === 0 ? Math.floor(took / 2) : Math.floor((3 * variation + Math.abs(took - smoothed)) / 4);
    smoothed = i === 0 ? took : Math.floor((7 * smoothed + took) / 8);
  }
  return Math.min(ms(2000), Math.max(ms(50), smoothed + 4 * variation));
}

test('an answer is waited for as long as those before it took, as TCP does', () => {
  for (const waits of [
    [10, 5, 5, 5],
    [40, 90, 3, 250],
    [200, 1, 900, 20],
    [700, 700, 700, 700],
  ]) {
    for (let count = 1; count <= waits.length; count++) {
      const { one, shows, gives, rings } = getting(large, [0]);
      const asked = new Map<number, number>();
      const answers: number[] = [];
      const note = (output: Parameters<typeof chunksAsked>[0]): void => {
        for (const { index } of chunksAsked(output)) asked.set(index, one.now());
      };
      const begun = one.now();
      note(shows(0, ms(waits[0]!)));
      answers.push(one.now() - begun);
      for (const [index, wait] of waits.slice(1, count).entries()) {
        const since = asked.get(index)!;
        asked.delete(index);
        note(gives(0, index, ms(wait)));
        answers.push(one.now() - since);
      }
      const due = Math.min(...asked.values()) + patienceAfter(answers);
      // What is late already is seen at once.
      const [left] = alarm(rings(1));
      const now = one.now();
      if (due > now) expect(left, `${waits} after ${count}`).toBe(due - now);
    }
  }
});

test('who is late is asked for half as much, later each time, and again after 2 s at most', () => {
  const { one, shows, rings } = getting(large, [0]);
  expect(chunksAsked(shows(0, ms(40)))).toHaveLength(4);
  // 40 ms and four times 20 ms.
  const patience = ms(120);
  expect(alarm(rings(1))).toEqual([patience - 1]);
  expect(asks(rings(patience - 2))).toEqual([]);
  let rest = 2 * patience;
  for (const window of [2, 1, 1, 1]) {
    // Late: it rests for twice as long as before.
    const late = rings(window === 2 ? 1 : patience);
    expect([asks(late), alarm(late)]).toEqual([[], [rest]]);
    expect(asks(rings(rest - 1))).toEqual([]);
    const again = rings(1);
    expect(chunksAsked(again)).toHaveLength(window);
    expect(alarm(again)).toEqual([patience]);
    rest = Math.min(2 * rest, ms(2000));
  }
  expect(rest).toBe(ms(2000));
  expect(one.heard).toEqual([]);
});

test('an answer that comes late is as good as any, and ends the rest', () => {
  const { one, shows, gives, rings } = getting(large, [0]);
  shows(0, ms(40));
  expect(asks(rings(ms(120)))).toEqual([]);
  const chunks = () => one.disk().serviceChunks.size;
  const before = chunks();
  // Two are owed at a time from now on, and and first for what nobody was asked for.
  expect(chunksAsked(gives(0, 0)).map(({ index }) => index)).toEqual([4, 5]);
  expect(chunks()).toBe(before + 1);
  // It has come: it is neither taken nor answered a second time.
  expect(asks(gives(0, 0))).toEqual([]);
  expect(chunks()).toBe(before + 1);
  gives(0, 3);
  expect(chunks()).toBe(before + 2);
});

test('at most 24 chunks are under way, however many each holder may owe', () => {
  const { shows, gives } = getting(large, [0, 2]);
  const owed = new Map<number, number>();
  const note = (output: Parameters<typeof chunksAsked>[0]): void => {
    for (const { to, index } of chunksAsked(output)) owed.set(index, to);
  };
  note(shows(0, 10));
  note(shows(2, 10));
  let most = 0;
  for (let turn = 0; owed.size > 0; turn++) {
    const mine = [...owed].find(([, to]) => to === (turn % 2) * 2) ?? [...owed][0]!;
    owed.delete(mine[0]);
    note(gives(mine[1], mine[0], 10));
    most = Math.max(most, owed.size);
  }
  expect(most).toBe(24);
});

describe('who may be asked for what another owes', () => {
  /** Three chunks are missing, of which 0 owes all; 2 answers in 4 ms and has nothing to do. */
  function idle() {
    const all = getting(donor(3), [0, 2]);
    const shown = all.shows(2, ms(4));
    const owed = chunksAsked(shown);
    return { ...all, owed };
  }

  test('is asked after twice as long as its answers take, and not before', () => {
    const { shows, rings, owed } = idle();
    // 0 has answered after 6 ms, so 12 ms are given to the other one.
    const shown = shows(0, ms(2));
    expect([asks(shown), alarm(shown)]).toEqual([[], [ms(10)]]);
    expect(asks(rings(ms(10) - 1))).toEqual([]);
    const hasty = chunksAsked(rings(1));
    expect(hasty).toEqual(owed.map(({ index }) => ({ to: 0, index })));
    // Nobody is asked twice for one, and no third.
    expect(asks(rings(ms(13)))).toEqual([]);
  });

  test('is asked after 5 ms where its answers take less', () => {
    const all = getting(donor(3), [0, 2]);
    all.shows(2, 10);
    const shown = all.shows(0, ms(1));
    expect(alarm(shown)).toEqual([ms(4)]);
    expect(asks(all.rings(ms(4) - 1))).toEqual([]);
    expect(asks(all.rings(1)).length).toBeGreaterThan(2);
  });

  test('is asked at once when the other says that it has none, or has lied', () => {
    for (const lie of [false, true]) {
      const { one, shows, owed, slot, root } = idle();
      shows(0, ms(2));
      const bad = { kind: 'snapshot-chunk', root, index: 0, bytes: Uint8Array.of(1) } as const;
      const said = one.hears(2, lie ? bad : { kind: 'snapshot-absent', slot, root });
      expect(chunksAsked(said)).toEqual(owed.map(({ index }) => ({ to: 0, index })));
    }
  });

  test('is asked once more when all have been asked in vain', () => {
    const { one, shows, rings, owed } = idle();
    shows(0, ms(2));
    rings(ms(20));
    // Both are late with all, and rest; then all are asked for, once more each.
    rings(ms(500));
    const again = chunksAsked(rings(ms(2000)));
    expect(new Set(again.map(({ index }) => index))).toEqual(
      new Set(owed.map(({ index }) => index)),
    );
    expect(again).toHaveLength(new Set(again.map(({ index }) => index)).size);
    expect(one.heard).toEqual([]);
  });
});

describe('a manifest', () => {
  test('of nobody who was asked, of another slot, or for the second time is passed over', () => {
    const { one, manifest, shows, gives } = getting(large, [0]);
    expect(asks(one.hears(2, manifest))).toEqual([]);
    const other = { ...manifest, slot: 3 } as ServiceMessage;
    expect(asks(one.hears(0, other))).toEqual([]);
    // It was no lie either: it is listened to.
    expect(chunksAsked(shows(0))).toHaveLength(4);
    const changed = { ...(manifest as SnapshotManifest), size: 1 };
    expect(asks(one.hears(0, changed))).toEqual([]);
    expect(chunksAsked(gives(0, 0))).toHaveLength(2);
  });

  test('that is not that of the others is a lie, in whatever it differs', () => {
    const { manifest } = getting(large, [0]);
    const { chunks, size, ...rest } = manifest as SnapshotManifest;
    const first = chunks[0] as Digest;
    for (const spoilt of [
      { chunks, size: size - 1 },
      { size, chunks: [...chunks.slice(0, -1), first] },
      { size, chunks: [chunks.at(-1) as Digest, ...chunks.slice(1)] },
      { size, chunks: chunks.slice(0, -1) },
      { size, chunks: [...chunks, first] },
    ]) {
      const { one, shows } = getting(large, [0, 2]);
      shows(0);
      expect(asks(one.hears(2, { ...rest, ...spoilt }))).toEqual([]);
      expect(asks(shows(2)), 'it is listened to no more').toEqual([]);
      const honest = getting(large, [0, 2]);
      honest.shows(0);
      expect(chunksAsked(honest.shows(2))).toHaveLength(4);
    }
  });

  test('of what may be fetched next is no lie, and one of neither is', () => {
    const { manifest, slot, root } = getting(large, [0]);
    const other = { ...(manifest as SnapshotManifest), size: 1 };
    for (const isWished of [true, false]) {
      const all = getting(large, [0]);
      // Its digest is what it says; that it cannot be complete is not looked at then.
      const digest = isWished ? rootIn(other) : ('ab'.repeat(32) as Digest);
      all.one.does((ctx) => ctx.fetchSnapshot(slot, digest, [2]));
      all.one.hears(0, other);
      const asked = chunksAsked(all.shows(0));
      expect(asked.length > 0, `${isWished}`).toBe(isWished);
    }
    expect(root).not.toBe(rootIn(other));
  });
});

describe('a snapshot that does not come is given up for another', () => {
  const turnsAt = (all: Getting, wait: number): boolean =>
    asks(all.rings(wait)).includes('2 snapshot-request');

  test('1 s after the last part of it, and not before', () => {
    for (const parts of [0, 1, 2]) {
      const all = getting(early, [0]);
      if (parts > 0) all.shows(0, ms(300));
      if (parts > 1) all.gives(0, 0, ms(300));
      const wish = wishes(all, later, [2]);
      expect(asks(wish)).toEqual([]);
      const [due] = alarm(all.rings(1));
      expect(due).toBeLessThanOrEqual(ms(1000) - 1);
      expect(turnsAt(all, ms(1000) - 2), `${parts}`).toBe(false);
      expect(turnsAt(all, 1), `${parts}`).toBe(true);
    }
  });

  test('after twice as long each time, up to 8 s', () => {
    const all = getting(early, [0]);
    wishes(all, later, [2]);
    const asksOf = (holder: number, output: Parameters<typeof asks>[0]): boolean =>
      asks(output).includes(`${holder} snapshot-request`);
    // Each is given up in turn; what is fetched anew is asked for at once.
    let holder = 2;
    for (const stall of [1000, 2000, 4000, 8000, 8000]) {
      let since = 0;
      const fetched = 2 - holder;
      for (; since < ms(stall) - 1; since += ms(499)) {
        const wait = Math.min(ms(499), ms(stall) - 1 - since);
        expect(asksOf(holder, all.rings(wait)), `${stall}: ${since}`).toBe(false);
      }
      const spare = ms(stall) - 1 - Math.ceil((ms(stall) - 1) / ms(499)) * ms(499);
      expect(spare).toBeLessThanOrEqual(0);
      expect(asksOf(holder, all.rings(1)), `${stall}`).toBe(true);
      holder = fetched;
    }
  });

  test('if fewer than four chunks a second come, measured over 2 s', () => {
    for (const [chunks, turns] of [
      [7, true],
      [8, false],
    ] as const) {
      const all = getting(large, [0]);
      wishes(all, later, [2]);
      const step = ms(230);
      all.shows(0, 1);
      for (let index = 0; index < chunks; index++) all.gives(0, index, step);
      const left = ms(2000) - 1 - chunks * step;
      expect(turnsAt(all, left - 1)).toBe(false);
      expect(turnsAt(all, 1), `${chunks}`).toBe(turns);
    }
  });

  test('at once, if all who could have it lack it or lie', () => {
    const all = getting(early, [0]);
    wishes(all, later, [2]);
    const bad = { ...(all.manifest as SnapshotManifest), size: 1 };
    expect(asks(all.one.hears(0, bad))).toContain('2 snapshot-request');
    const two = getting(early, [0, 2]);
    wishes(two, later, [2]);
    const { slot, root } = two;
    expect(asks(two.one.hears(0, { kind: 'snapshot-absent', slot, root }))).toEqual([]);
    // What is said about another one, or by nobody who was asked, says nothing.
    two.one.hears(2, { kind: 'snapshot-absent', slot, root: newest(later).digest });
    const one = getting(early, [0]);
    wishes(one, later, [2]);
    expect(asks(one.one.hears(2, { kind: 'snapshot-absent', slot, root }))).toEqual([]);
    expect(asks(two.one.hears(2, { kind: 'snapshot-absent', slot, root }))).toContain(
      '2 snapshot-request',
    );
  });

  test('when decisions have led beyond it, for one that lies ahead', () => {
    const ahead = (next: number) => {
      const all = getting(early, [0]);
      wishes(all, later, [2]);
      const decided = all.one.does((ctx) => {
        for (let slot = 0; slot < next; slot++)
          ctx.decide(slot, [requestOf(slot + 1, [operation(slot)])]);
      });
      return asks(decided);
    };
    expect(ahead(11)).not.toContain('2 snapshot-request');
    expect(ahead(12)).toContain('2 snapshot-request');
    expect(ahead(20)).not.toContain('2 snapshot-request');
  });
});

test('who lied is asked again when nobody else is left, 2 s after the last part', () => {
  const all = getting(early, [0]);
  all.one.hears(0, { ...(all.manifest as SnapshotManifest), size: 1 });
  expect(asks(all.rings(ms(2000) - 1))).toEqual([]);
  expect(asks(all.rings(1))).toEqual(['0 snapshot-request']);
  expect(chunksAsked(all.shows(0)).length).toBeGreaterThan(0);
});
