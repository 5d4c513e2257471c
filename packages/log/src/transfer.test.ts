import { firstClient, type Output, type Shape } from '@quorumlab/core';
import { describe, expect, test } from 'vitest';
import { type Group, type GroupOptions, group } from '../test/group.ts';
import { kv } from './key-value-store.ts';
import { installedBy } from './log-port.ts';
import type { SnapshotRecord } from './types.ts';

const big = 'v'.repeat(30_000);

/** Replica 2 sleeps while the others write `keys` large values and forget their logs. */
function lagging(options: GroupOptions = {}, keys = 10): Group {
  const g = group({ snapshotEvery: 4, ...options });
  g.world.crash(2);
  for (let i = 0; i < keys; i++) {
    g.ask(firstClient, kv.put(`k${i}`, big));
    g.world.run(20_000);
  }
  g.world.run(2e6);
  g.world.restart(2);
  return g;
}

type Said = Output<Shape>['sends'][number]['message'];
const change =
  (how: (message: Said) => Said) =>
  (output: Output<Shape>): Output<Shape> => ({
    ...output,
    sends: output.sends.map(({ to, message }) => ({ to, message: how(message) })),
  });

describe('a replica that fell behind', () => {
  test('gets the state in chunks and agrees with the others', () => {
    const g = lagging();
    expect(g.agree(20e6)).toBe(true);
    const outputs = g.world.outputs.get(2) ?? [];
    const installed = outputs.map(installedBy).filter((each) => each !== undefined);
    expect(installed.length).toBeGreaterThan(0);
    const kept = g.world.stable(2) as { serviceChunks: Map<number, Uint8Array> };
    expect(kept.serviceChunks.size).toBeGreaterThan(1);
    // The hash goes on where the others' is.
    g.ask(firstClient, kv.put('after', '1'));
    g.world.run(5e6);
    const last = (id: number) => g.world.applied.get(id)?.at(-1);
    expect(last(2)?.state).toBe(last(0)?.state);
  });

  test('does so over a network that loses and repeats', () => {
    for (const seed of [1, 2, 3]) {
      const g = lagging({ seed, loss: 200, repeat: 100 });
      expect(g.agree(120e6)).toBe(true);
    }
  });

  test('starts from what it installed after a restart', () => {
    const g = lagging();
    g.agree(20e6);
    g.world.crash(2);
    g.world.restart(2);
    expect(g.state(2)).toBe(g.state(0));
  });

  test('throws away what a lying holder sends and asks the next one', () => {
    const lies: readonly ((message: Said) => Said)[] = [
      (m) => (m.kind === 'snapshot-chunk' ? { ...m, bytes: new Uint8Array(100) } : m),
      (m) => (m.kind === 'snapshot-manifest' ? { ...m, size: 7, chunks: [] } : m),
      (m) =>
        m.kind === 'snapshot-manifest'
          ? { kind: 'snapshot-absent', slot: 0, root: 'ff'.repeat(32) }
          : m,
    ];
    for (const lie of lies) {
      const g = lagging();
      g.world.lie(0, change(lie));
      expect(g.agree(60e6)).toBe(true);
    }
  });

  test('asks the next holder when one says nothing', () => {
    const g = lagging();
    g.world.lie(0, (output) => ({
      ...output,
      sends: output.sends.filter(({ message }) => !message.kind.startsWith('snapshot')),
    }));
    expect(g.agree(60e6)).toBe(true);
  });

  test('installs nothing while every holder lies', () => {
    const g = lagging();
    for (const id of [0, 1])
      g.world.lie(
        id,
        change((m) => (m.kind === 'snapshot-chunk' ? { ...m, bytes: new Uint8Array(9) } : m)),
      );
    g.world.run(30e6);
    expect(g.world.outputs.get(2)?.some(installedBy)).toBe(false);
    // Once an answer is honest it goes on.
    g.world.lie(1, (output) => output);
    expect(g.agree(60e6)).toBe(true);
  });
});

describe('after a blackout', () => {
  test('a laggard gets the stable snapshot from one that has taken a later one', () => {
    const g = group({ snapshotEvery: 1, snapshotsKept: 2 });
    g.world.crash(2);
    for (const value of ['1', '2', '3', '4', '5']) {
      g.ask(firstClient, kv.put('a', value));
      g.world.run(1e6);
    }
    const records = (g.world.outputs.get(1) ?? [])
      .flatMap(({ writes }) => writes)
      .flatMap((each) => (each.type === 'save' ? [each.registers] : []))
      .flatMap(({ serviceSnapshot: taken }: { serviceSnapshot?: SnapshotRecord }) => taken ?? []);
    const stable = records.at(-2);
    if (stable === undefined) throw new Error('replica 1 took fewer than two snapshots');
    // Replica 0, which only knows of the newest, stays away.
    g.world.crash(0);
    g.world.crash(1);
    g.world.restart(1);
    g.world.restart(2);
    const { slot, digest: root } = stable;
    g.world.tell(2, { type: 'message', message: { kind: 'moved', slot, root, from: 0 } });
    g.world.run(30e6);
    const installed = (g.world.outputs.get(2) ?? []).map(installedBy).find((each) => each);
    expect(installed).toMatchObject({ slot, digest: root });
  });
});

describe('the disk', () => {
  test('keeps one snapshot: chunks that did not change are not written again', () => {
    const g = group({ snapshotEvery: 1 });
    for (let i = 0; i < 12; i++) {
      g.ask(firstClient, kv.put(`k${i}`, big));
      g.world.run(20_000);
    }
    g.world.run(1e6);
    const outputs = g.world.outputs.get(0) ?? [];
    const before = outputs.length;
    g.ask(firstClient, kv.put('k9', big));
    g.world.run(1e6);
    const rows = outputs
      .slice(before)
      .flatMap(({ writes }) =>
        writes.filter((each) => each.type === 'put' && String(each.table) === 'serviceChunks'),
      );
    const { serviceChunks } = g.world.stable(0) as { serviceChunks: Map<number, Uint8Array> };
    expect(rows.length).toBeLessThan(serviceChunks.size);
  });

  test('that lost a chunk stops the replica with a named error', () => {
    const g = group({ snapshotEvery: 1 });
    g.ask(firstClient, kv.put('a', '1'));
    g.world.run(1e6);
    g.world.crash(0);
    (g.world.stable(0) as { serviceChunks: Map<number, Uint8Array> }).serviceChunks.clear();
    expect(() => g.world.restart(0)).toThrow(/restore the disk from a backup/);
  });
});
