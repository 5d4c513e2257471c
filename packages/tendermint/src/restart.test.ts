/** A crash at each point where something becomes durable: nothing is said twice in two ways. */
import { decode, encode, type Field } from '@quorumlab/core';
import { type CrashPhase, requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { make, Network } from '../test/network.ts';
import { tendermint } from './index.ts';

const requests = 6;
const members = [0, 1, 2, 3];
const phases: readonly CrashPhase[] = ['before writes', 'before sends'];

/** A small run with checkpoints; optionally with a crash, and with one replica that is silent. */
function small(crash?: { at: number; phase: CrashPhase }, silent?: number): Network {
  const network = make({ checkpointEvery: 2 });
  network.crash = crash;
  if (silent !== undefined) network.seat(silent).treason = () => [];
  for (let i = 0; i < requests; i++) {
    for (const self of members) network.input(self, { type: 'propose', command: requestOf(0, i) });
    restartCrashed(network);
    network.run(silent === undefined ? 400_000 : 8_000_000, () => network.executed.size === i + 1);
  }
  return network;
}

function restartCrashed(network: Network): void {
  if (network.crashed !== undefined) network.restart(network.crashed);
  network.crashed = undefined;
}

function finish(network: Network): void {
  restartCrashed(network);
  for (let i = 0; i < requests; i++)
    for (const self of members)
      if (!network.executed.has(`65536/${i}`))
        network.input(self, { type: 'propose', command: requestOf(0, i) });
  network.run(60_000_000, () => network.executed.size === requests);
}

describe('a replica that restarts with its disk', () => {
  it.each(phases)('says nothing else than before, wherever it was cut off %s', (phase) => {
    const { steps } = small();
    for (let at = 4; at < steps; at++) {
      const network = small({ at, phase });
      finish(network);
      expect(network.violation, `crash at step ${at} ${phase}`).toBeUndefined();
      expect(network.executed.size, `crash at step ${at} ${phase}`).toBe(requests);
    }
  });

  it.each(phases)('nor in rounds that fail, wherever it was cut off %s', (phase) => {
    const { steps } = small(undefined, 0);
    // Replica 0 proposes nothing; the crash is a second fault and heals.
    for (let at = 10; at < steps; at += 3) {
      const network = small({ at, phase }, 0);
      network.seat(0).treason = undefined;
      finish(network);
      expect(network.violation, `crash at step ${at} ${phase}`).toBeUndefined();
      expect(network.executed.size, `crash at step ${at} ${phase}`).toBe(requests);
    }
  });

  it('what one replica decided before all crashed is decided by all, with no client left', () => {
    const network = make();
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.runDelayed(1000, 1, () => network.executed.size > 0);
    expect(network.executed.size).toBe(1);
    for (const self of members) network.stop(self);
    for (const self of members) network.seat(self).decisions.clear();
    network.drop();
    for (const self of members) network.restart(self);
    network.drop(); // Nobody hears that the others are back.
    const decides = (self: number): boolean =>
      [...network.seat(self).decisions.values()].flat().length > 0;
    network.run(60_000_000, () => members.every(decides));
    expect(members.filter(decides)).toEqual(members);
    expect(network.violation).toBeUndefined();
  });

  it('keeps its lock over any number of restarts', () => {
    const network = make();
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.deliver(({ message }) => message.kind !== 'precommit');
    const { locked } = network.state(2);
    expect(locked?.round).toBe(0);
    for (let i = 0; i < 3; i++) {
      network.stop(2);
      network.restart(2);
      expect(network.state(2)).toMatchObject({ locked, step: 'precommit', round: 0, height: 1 });
    }
  });

  it('finds on its disk what it wrote there, byte for byte', () => {
    const network = small(undefined, 0);
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
    expect(rows).toBeGreaterThan(20);
  });

  it('without its disk it has everything again soon, and votes in later heights', () => {
    const network = new Network(tendermint({ n: 4, digest: testDigest, checkpointEvery: 2 }));
    const ask = (i: number): void => {
      network.input(i % 3, { type: 'propose', command: requestOf(0, i) });
      network.run(60_000_000, () => network.executed.size === i + 1);
    };
    for (let i = 0; i < 9; i++) ask(i);
    network.stop(3);
    Object.assign(network.seat(3), {
      disk: network.protocol.stable(),
      snapshot: { applied: 0, state: 0 },
    });
    network.restart(3);
    network.run(60_000_000, () => network.seat(3).applied === network.seat(0).applied);
    expect(network.seat(3).applied).toBe(9);
    network.stop(0);
    for (let i = 9; i < 12; i++) {
      for (const self of [1, 2, 3])
        network.input(self, { type: 'propose', command: requestOf(0, i) });
      network.run(60_000_000, () => network.executed.size === i + 1);
    }
    expect(network.executed.size).toBe(12);
    expect(network.violation).toBeUndefined();
  });
});
