/** Groups whose replicas sign nothing: random schedules, and what nobody can be shown there. */
import { OptionsError } from '@quorumlab/core';
import { random as dice, requestOf, testDigest, treasons } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { Network } from '../test/network.ts';
import { expectAgreement, run as runOf } from '../test/random.ts';
import { paper, pbft } from './index.ts';
import type { MacViewChange } from './mac-messages.ts';

/** Others, and more: `PBFT_SEED=17 PBFT_SEEDS=1000 vitest run packages/pbft/src/mac.test.ts` */
const seeds = {
  file: 'packages/pbft/src/mac.test.ts',
  first: Number(process.env.PBFT_SEED ?? 1),
  count: Number(process.env.PBFT_SEEDS ?? 3),
};

const make = (): Network =>
  new Network(pbft({ n: 4, authentication: 'mac', checkpointEvery: 4, digest: testDigest }));

const run = (kind: string, seed: number) => runOf(kind, seed, { authentication: 'mac' });

describe('random schedules with losses, repetitions, crashes and one liar', () => {
  const lines = new Set<string>();

  it.each(Object.keys(treasons))('keep agreement and end well: %s', (kind) => {
    const make = (seed: number) => run(kind, seed);
    expectAgreement(seeds, kind, make, (network, _seed, replay) => {
      expect([...network.accused], replay).toEqual([]);
      for (const line of network.lines) lines.add(line);
    });
  });

  it('together go through every line of TOCS 2002', () => {
    const own = Object.keys(paper).filter((line) => line.startsWith('3.2.4-'));
    for (let seed = 1; seed <= 30 && !own.every((line) => lines.has(line)); seed++)
      for (const line of run('none', seed).lines) lines.add(line);
    expect(own.filter((line) => !lines.has(line))).toEqual([]);
  });
});

describe('what a replica says', () => {
  it('has no signed part of another replica in it, whatever it says', () => {
    const { messages, evidence } = pbft({ n: 4, authentication: 'mac' });
    const random = dice(7);
    const kinds = new Set<string>();
    for (let i = 0; i < 400; i++) {
      const message = messages.sample(random);
      kinds.add(message.kind);
      for (const part of evidence?.(message) ?? []) expect(part).toHaveProperty('operations');
    }
    expect(kinds.size).toBe(messages.kinds.length);
  });

  it('proves nothing to a stranger, and the group says so', () => {
    const { deniable, breaches } = pbft({ n: 4, authentication: 'mac' });
    expect([deniable, breaches]).toEqual([expect.stringContaining('sign nothing'), undefined]);
    expect(pbft({ n: 4 }).deniable).toBeUndefined();
  });

  it('is of its mode alone: a group that signs knows none of these kinds', () => {
    const [mac, signs] = [pbft({ n: 4, authentication: 'mac' }), pbft({ n: 4 })];
    for (const kind of ['mac-view-change', 'view-change-ack', 'vouched', 'executed'])
      expect([mac, signs].map(({ messages }) => messages.of(kind) !== undefined)).toEqual([
        true,
        false,
      ]);
    for (const kind of ['new-view', 'committed', 'stable-checkpoint', 'proofs', 'epochs'])
      expect(mac.messages.of(kind), kind).toBeUndefined();
  });
});

describe('an option that cannot be', () => {
  it('is refused beside one that needs proofs', () => {
    const both = { n: 4, authentication: 'mac', tentative: true } as const;
    expect(() => pbft(both)).toThrow(OptionsError);
    expect(() => pbft(both)).toThrow('leave one of them out');
  });

  it('is refused with what there is', () => {
    const authentication = 'hmac' as 'mac';
    expect(() => pbft({ n: 4, authentication })).toThrow(OptionsError);
    expect(() => pbft({ n: 4, authentication })).toThrow("'signatures' or 'mac', not \"hmac\"");
  });
});

const empty: Omit<MacViewChange, 'view'> = {
  kind: 'mac-view-change',
  low: 0,
  checkpoints: [],
  prepared: [],
  prePrepared: [],
};

describe('partial authenticators: right for some, and wrong for the others', () => {
  /** Replica 0 lies; its view-change for view 1 is authentic to these alone. */
  function partly(...to: readonly number[]): Network {
    const network = make();
    network.seat(0).treason = () => [];
    network.seat(0).up = false;
    for (const self of [1, 2, 3]) {
      if (to.includes(self)) network.inject(0, self, { ...empty, view: 1 });
    }
    return network;
  }

  it.each([[[1]], [[1, 2]], [[2, 3]], [[3]]])('to %s: what is asked is done all the same', (to) => {
    const network = partly(...to);
    const command = requestOf(0, 0);
    for (const self of [1, 2, 3]) network.input(self, { type: 'propose', command });
    network.run(20_000_000, () => network.executed.size === 1);
    expect([network.executed.size, network.violation]).toEqual([1, undefined]);
  });

  it('a primary uses no view-change that nobody else has got', () => {
    const network = partly(1);
    network.inject(2, 1, { ...empty, view: 1 });
    network.deliver(({ from, to }) => from === 1 && to === 1);
    expect(network.state(1)).toMatchObject({ view: 1, active: false, newView: null });
    expect([...network.state(1).viewChanges.keys()].sort()).toEqual([0, 1, 2]);
  });
});
