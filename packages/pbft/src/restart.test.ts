import { decode, encode, type Field } from '@quorumlab/core';
import { type CrashPhase, requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { pbft } from './index.ts';

const requests = 6;

/** A small run with checkpoints; optionally with a crash, and with a primary that falls silent. */
function small(crash?: { at: number; phase: CrashPhase }, silent = false): Network {
  const network = new Network(pbft({ n: 4, checkpointEvery: 2, digest: testDigest }));
  network.crash = crash;
  for (let i = 0; i < requests; i++) {
    const quiet = silent && i === 3;
    for (const self of [0, 1, 2, 3])
      network.input(self, { type: 'propose', command: requestOf(0, i) });
    if (quiet) network.seat(0).treason = () => [];
    if (network.crashed !== undefined) {
      const self = network.crashed;
      network.crashed = undefined;
      network.restart(self);
    }
    network.run(silent ? 8_000_000 : 400_000, () => network.executed.size === i + 1);
  }
  return network;
}

function finish(network: Network): void {
  if (network.crashed !== undefined) network.restart(network.crashed);
  network.crashed = undefined;
  for (let i = 0; i < requests; i++)
    for (const self of [0, 1, 2, 3])
      if (!network.executed.has(`65536/${i}`))
        network.input(self, { type: 'propose', command: requestOf(0, i) });
  network.run(60_000_000, () => network.executed.size === requests);
}

describe('a replica that restarts with its disk', () => {
  const phases: readonly CrashPhase[] = ['before writes', 'before sends'];

  it.each(phases)('keeps the log and goes on, wherever it was cut off %s', (phase) => {
    const steps = small().steps;
    for (let at = 4; at < steps; at++) {
      const network = small({ at, phase });
      finish(network);
      expect(network.violation, `crash at step ${at} ${phase}`).toBeUndefined();
      expect(network.executed.size, `crash at step ${at} ${phase}`).toBe(requests);
    }
  });

  it.each(phases)('keeps it during a view change, wherever it was cut off %s', (phase) => {
    const steps = small(undefined, true).steps;
    // Replica 0 is silent by then; the crash is a second fault and heals.
    for (let at = 90; at < steps; at += 3) {
      const network = small({ at, phase }, true);
      if (network.crashed !== undefined) network.restart(network.crashed);
      network.crashed = undefined;
      network.seat(0).treason = undefined;
      finish(network);
      expect(network.violation, `crash at step ${at} ${phase}`).toBeUndefined();
      expect(network.executed.size, `crash at step ${at} ${phase}`).toBe(requests);
    }
  });

  it('says nothing else than before: all restart at once, again and again', () => {
    for (const keep of [0, 5, 9, 14, 20, 25, 30, 36]) {
      const network = new Network(pbft({ n: 4, digest: testDigest }));
      const votes = new Map<string, string>();
      for (const seat of [0, 1, 2, 3])
        network.seat(seat).treason = ({ to, message }) => {
          for (const [about, what] of network.protocol.vows?.(message) ?? []) {
            const earlier = votes.get(`${seat} ${about}`);
            if (earlier !== undefined) expect(what).toBe(earlier);
            votes.set(`${seat} ${about}`, what);
          }
          return [{ to, message }];
        };
      for (const self of [0, 1]) network.input(self, { type: 'propose', command: requestOf(0, 0) });
      let count = 0;
      network.deliver(() => count++ < keep);
      for (let round = 0; round < 3; round++) {
        network.drop();
        for (const self of [0, 1, 2, 3]) {
          network.stop(self);
          network.restart(self);
        }
        network.input(1, { type: 'propose', command: requestOf(0, 0) });
        network.run(round === 2 ? 10_000_000 : 300_000);
      }
      for (const seat of network.seats)
        expect([...seat.decisions.values()].flat()).toContainEqual(requestOf(0, 0));
    }
  });

  it('finds on its disk what it wrote there, byte for byte', () => {
    const network = small(undefined, true);
    const { stored } = network.protocol;
    let rows = 0;
    for (const { disk } of network.seats)
      for (const [name, value] of Object.entries(disk)) {
        const field = stored[name as keyof typeof stored] as Field<unknown>;
        for (const row of value instanceof Map ? value.values() : [value]) {
          expect(decode(field, encode(field, row))).toEqual(row);
          rows += 1;
        }
      }
    expect(network.state(1).viewChange).not.toBeNull();
    expect(rows).toBeGreaterThan(20);
  });
});
