import { firstClient, type Output, type Shape } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { type Group, type GroupOptions, group } from '../test/group.ts';
import { honest } from '../test/sequencer.ts';
import { kv } from './key-value-store.ts';
import { installedBy } from './log-port.ts';
import type { ServiceStable, StateMachine } from './types.ts';

const big = (i: number): string => `${i}`.padEnd(15_000, 'v');
/** A state of 20 values is worked on in about ten steps. */
const slowly: GroupOptions = { snapshotEvery: 20, service: { stepBytes: 20_000 } };

function fill(g: Group, from: number, to: number): void {
  for (let i = from; i < to; i++) {
    g.ask(firstClient, kv.put(`k${i % 25}`, big(i)));
    g.world.run(20_000);
  }
}

const disk = (g: Group, id: number): ServiceStable =>
  g.world.stable(id) as unknown as ServiceStable;

const bytesIn = ({ writes }: Output<Shape>): number =>
  writes
    .filter((each) => each.type === 'put' && String(each.table) === 'serviceChunks')
    .reduce((sum, each) => sum + (each as { row: Uint8Array }).row.length, 0);

describe('a snapshot of a large state', () => {
  test('is written over many steps, none of which writes much, while operations run', () => {
    const g = group({ ...slowly, n: 1 });
    fill(g, 0, 70);
    g.world.run(1e6);
    const outputs = g.world.outputs.get(0) ?? [];
    const written = outputs.map(bytesIn).filter((each) => each > 0);
    expect(written.length).toBeGreaterThan(10);
    expect(Math.max(...written)).toBeLessThan(200_000);
    // The one that is being taken at slot 19 is not disturbed by what is written meanwhile.
    expect(disk(g, 0).serviceSnapshot?.slot).toBe(59);
    const before = g.state(0);
    g.world.crash(0);
    g.world.restart(0);
    expect(g.state(0) === before).toBe(true);
  });

  test('that was cut off by a crash, at any step, leaves the one before it', () => {
    const whole = group({ n: 1 });
    fill(whole, 0, 70);
    whole.world.run(1e6);
    let cut = 0;
    for (let last = 60; last < 140; last += 16) {
      const g = group({ ...slowly, n: 1 });
      const outputs = g.world.outputs.get(0) ?? [];
      let next = 0;
      for (; next < 50 && outputs.length < last; next++) {
        g.ask(firstClient, kv.put(`k${next % 25}`, big(next)));
        g.world.run(20_000, () => outputs.length >= last);
      }
      if (disk(g, 0).serviceChunks.size > (disk(g, 0).serviceSnapshot?.rows.length ?? 0)) cut++;
      g.world.crash(0);
      g.world.restart(0);
      // It goes on as if nothing had happened, and what was cut off takes no room for long.
      fill(g, next, 70);
      g.world.run(5e6);
      expect(g.state(0) === whole.state(0), `cut after output ${last}`).toBe(true);
      expect(disk(g, 0).serviceSnapshot?.slot).toBeGreaterThanOrEqual(39);
      expect(disk(g, 0).serviceChunks.size).toBeLessThan(120);
      g.world.crash(0);
      g.world.restart(0);
      expect(g.state(0) === whole.state(0), `restarted after output ${last}`).toBe(true);
    }
    expect(cut).toBeGreaterThan(1);
  });

  test('is captured as of its slot, and several are taken in order where members vote', () => {
    const policy = { ...honest, matching: 2, ask: 'any' } as const;
    const at = (every: number, stepBytes: number): readonly string[] => {
      const g = group({
        n: 3,
        policy,
        snapshotEvery: every,
        faults: 'byzantine',
        service: { stepBytes },
      });
      fill(g, 0, 60);
      g.world.run(3e6);
      return g.members.flatMap((id) =>
        (g.world.outputs.get(id) ?? [])
          .flatMap(({ writes }) => writes)
          .flatMap((each) => (each.type === 'save' ? [each.registers as object] : []))
          .flatMap((each) => ('root' in each ? [`${id} ${String(each.root)}`] : [])),
      );
    };
    // The same roots in the same order as if no time had passed.
    expect(at(3, 40_000)).toEqual(at(3, 1e9));
  });

  test('is installed over many steps, with a crash at some of them', () => {
    for (const crashAfter of [undefined, 4]) {
      const g = group({ ...slowly, snapshotEvery: 10, n: 3 });
      g.world.crash(2);
      fill(g, 0, 45);
      g.world.run(2e6);
      g.world.restart(2);
      const outputs = g.world.outputs.get(2) ?? [];
      const begun = outputs.length;
      const chunked = () => outputs.slice(begun).filter((each) => bytesIn(each) > 0).length;
      if (crashAfter !== undefined) {
        g.world.run(5e6, () => chunked() > crashAfter);
        g.world.crash(2);
        g.world.restart(2);
      }
      expect(g.agree(20e6), `crash after ${crashAfter}`).toBe(true);
      expect(outputs.some(installedBy)).toBe(true);
      g.world.crash(2);
      g.world.restart(2);
      expect(g.state(2) === g.state(0)).toBe(true);
    }
  });

  test('costs only what has changed since the one before', () => {
    const g = group({ n: 1, snapshotEvery: 5 });
    fill(g, 0, 25);
    g.world.run(1e6);
    const outputs = g.world.outputs.get(0) ?? [];
    const before = outputs.length;
    for (let i = 0; i < 5; i++) {
      g.ask(firstClient, kv.put('k9', big(i)));
      g.world.run(20_000);
    }
    g.world.run(1e6);
    const written = outputs.slice(before).reduce((sum, each) => sum + bytesIn(each), 0);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThan(300_000);
  });
});

describe('a state that is larger than a snapshot may be', () => {
  /** A state machine that knows no limit: every operation makes it 10,000 bytes larger. */
  function hoarder(): StateMachine {
    let size = 0;
    return {
      apply: () => Uint8Array.of((size += 1)),
      query: () => Uint8Array.of(size),
      snapshot: () => new Uint8Array(size * 10_000),
      restore: (snapshot) => void (size = snapshot.length / 10_000),
    };
  }

  test('is refused more, by name, and no replica stops, also after a restart', () => {
    const g = group({
      n: 3,
      snapshotEvery: 4,
      stateMachine: hoarder,
      service: { maxSnapshotBytes: 100_000 },
    });
    const operation = new Uint8Array(1);
    const last = () => {
      const id = g.ask(firstClient, operation);
      g.world.run(1e6);
      return g.world.answers.get(firstClient)?.get(id);
    };
    for (let i = 0; i < 12; i++) expect(last()).toEqual(Uint8Array.of(i + 1));
    for (let round = 0; round < 3; round++) {
      expect(last()).toMatch(/more state than a snapshot may have/);
      const read = g.ask(firstClient, operation, true);
      g.world.run(1e6);
      expect(g.world.answers.get(firstClient)?.get(read)).toEqual(Uint8Array.of(12));
      for (const id of g.members) {
        g.world.crash(id);
        g.world.restart(id);
      }
      g.world.run(1e6);
    }
    expect(disk(g, 0).serviceSnapshot?.slot).toBe(7);
  });
});
