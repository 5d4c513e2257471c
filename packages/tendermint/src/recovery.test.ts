/** How what was lost is said again, and how whoever was away gets what the others have. */
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  batchOf,
  checkpoint,
  commitOf,
  decision,
  idOf,
  one,
  polkaOf,
  precommit,
  prevote,
  proposal,
  stable,
  status,
} from '../test/messages.ts';
import { kindsOf, make, type Network, saidIn } from '../test/network.ts';

const half = 250_000;

/** Replica 2 has decided these heights, told by replica 3. */
function decided(network: Network, heights: number): void {
  for (let height = 1; height <= heights; height++)
    network.inject(3, 2, decision(network, height, batchOf(height)));
}

describe('a report', () => {
  it('of an earlier height is answered with what was decided there, and its proofs', () => {
    const network = make();
    decided(network, 3);
    const { sends } = network.wouldAnswer(0, 2, status({ height: 2 }));
    const told = sends.map(({ message }) => message);
    expect(told.map(({ kind }) => kind)).toEqual(['decision', 'decision']);
    expect(told[0]).toMatchObject({ commit: commitOf(network, 2, batchOf(2)), batch: batchOf(2) });
  });

  it('is answered once in half a period, and at once by whoever has used the answer', () => {
    const network = make();
    decided(network, 3);
    const answers = (height: number) =>
      kindsOf(network.wouldAnswer(0, 2, status({ height }))).filter((kind) => kind === 'decision')
        .length;
    expect(answers(1)).toBe(3);
    network.inject(0, 2, status({ height: 1 }));
    expect(answers(1)).toBe(0);
    network.inject(3, 2, decision(network, 4, batchOf(4)));
    expect([answers(3), answers(4)]).toEqual([0, 1]);
    network.now += half;
    expect(answers(3)).toBe(2);
  });

  it('of the same height has this replica’s words of both rounds, and its valid value', () => {
    const network = make();
    network.inject(0, 2, proposal(0, one));
    network.inject(3, 2, { kind: 'polka', polka: polkaOf(network, 0, one) });
    for (const from of [0, 3]) network.inject(from, 2, prevote(1, null));
    network.fire(2, 'propose');
    const { sends } = network.wouldAnswer(0, 2, status());
    expect(sends.map(({ to, message }) => [to, message])).toEqual([
      [0, prevote(0, one)],
      [0, precommit(0, one)],
      [0, prevote(1, null)],
      [0, { kind: 'polka', polka: polkaOf(network, 0, one) }],
    ]);
    const knows = network.wouldAnswer(0, 2, status({ round: 1, validRound: 0 }));
    expect(knows.sends.map(({ message }) => message)).toEqual([prevote(1, null)]);
  });

  it('of a later height is answered with where this replica stands', () => {
    const { sends } = make().wouldAnswer(0, 2, status({ height: 9 }));
    expect(sends).toEqual([{ to: 0, message: status() }]);
  });
});

describe('a decision', () => {
  it('is taken with the precommits of a quorum for its batch, in the order of heights', () => {
    const network = make();
    const far = decision(network, 2, batchOf(2));
    for (const wrong of [
      decision(network, 1, one, [0, 1]),
      { ...decision(network, 1, one), batch: batchOf(7) },
      decision(network, 99, one),
    ])
      expect(network.wouldAnswer(3, 2, wrong).decisions).toEqual([]);
    network.inject(3, 2, far);
    expect(network.state(2).height).toBe(1);
    const { decisions } = network.wouldAnswer(0, 2, decision(network, 1, one));
    expect(decisions.map(({ slot }) => slot)).toEqual([0, 1]);
  });

  it('asks for the next one when all are used', () => {
    const network = make();
    const output = network.wouldAnswer(3, 2, decision(network, 1, one));
    expect(output.sends).toContainEqual({ to: 3, message: status({ height: 2 }) });
  });
});

describe('the status timer', () => {
  it('says again what was said in this round, and asks for what is late', () => {
    const network = make();
    network.inject(0, 2, proposal(0, one));
    network.now += 2 * half;
    const output = network.wouldDo(2, { type: 'timeout', timer: 'status' });
    expect(saidIn(output)).toEqual([prevote(0, one), status()]);
    expect(output.timers).toContainEqual({ type: 'set', timer: 'status', after: 2 * half });
  });

  it('repeats requests that only this replica may know of', () => {
    const network = make();
    network.input(2, { type: 'propose', command: requestOf(0, 0) });
    network.drop();
    network.fire(2, 'status');
    network.deliver(({ message }) => message.kind === 'relay');
    expect(network.state(1).waiting.size).toBe(1);
  });

  it('rests where nothing is missing', () => {
    const network = make();
    const { sends, timers } = network.wouldDo(2, { type: 'timeout', timer: 'status' });
    expect([sends, timers]).toEqual([[], []]);
  });
});

describe('a batch', () => {
  it('is given to who asks by its digest, of this height or one that is decided', () => {
    const network = make();
    const ask = (height: number, batch: ReturnType<typeof batchOf>) =>
      network.wouldAnswer(3, 2, { kind: 'fetch-batch', height, value: idOf(batch) }).sends;
    network.inject(0, 2, proposal(0, one));
    expect(ask(1, one)).toEqual([{ to: 3, message: { kind: 'batch', height: 1, batch: one } }]);
    expect([ask(1, batchOf(9)), ask(2, one)]).toEqual([[], []]);
    network.inject(3, 2, decision(network, 1, one));
    expect(ask(1, one)).toHaveLength(1);
  });
});

describe('a checkpoint', () => {
  it('of a quorum lets go of what is a window below, and keeps the rest for those who lag', () => {
    const network = make({ checkpointEvery: 2, window: 2 });
    for (let i = 0; i < 7; i++) {
      network.input(i % 4, { type: 'propose', command: requestOf(0, i) });
      network.deliver();
    }
    const { stableCheckpoint, commits, blocks, checkpoints } = network.state(1);
    expect(stableCheckpoint?.body.height).toBe(6);
    expect([...commits.keys()]).toEqual([5, 6, 7]);
    expect([[...blocks.keys()], checkpoints.size]).toEqual([[5, 6, 7], 0]);
  });

  it('far ahead has the state fetched; until it is here this replica does not vote', () => {
    const network = make();
    const output = network.wouldAnswer(3, 2, stable(network, 8));
    expect(output.fetches.map(({ slot }) => slot)).toEqual([7]);
    network.inject(3, 2, stable(network, 8));
    network.inject(0, 2, proposal(0, one));
    expect(network.state(2).step).toBe('propose');
    network.seat(2).applied = 8;
    network.input(2, { type: 'snapshot-installed', slot: 7, digest: checkpoint(8).state });
    expect(network.state(2)).toMatchObject({ height: 9, round: 0, snapshot: 8, fetching: 0 });
  });

  it('that is missing stops a full window, and nothing else', () => {
    const network = make({ checkpointEvery: 2, window: 2 });
    for (let i = 0; i < 6; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.deliver(({ message }) => !message.kind.includes('checkpoint'));
    }
    expect(network.seats.map(({ applied }) => applied)).toEqual([2, 2, 2, 2]);
    network.run(60_000_000, () => network.executed.size === 6);
    expect(network.executed.size).toBe(6);
  });

  it('two different ones of one member are proof against it', () => {
    const network = make();
    network.inject(3, 2, checkpoint(4));
    for (const other of [checkpoint(4, 'd'.repeat(64)), { ...checkpoint(4), set: 3 }]) {
      const { accusations } = network.wouldAnswer(3, 2, other);
      expect(accusations.map(({ first }) => first.from)).toEqual([3]);
      const { machine } = network.seat(2);
      expect(machine.admits?.(network.sign(other, 3), network.now)).toBe(true);
    }
  });
});
