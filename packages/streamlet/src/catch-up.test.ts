/** Who has seen less is told more, in bounded pieces, and who misses something asks for it. */
import { batchSize, type Signed } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  above,
  block,
  chainOf,
  clock,
  follower,
  leader,
  notarizationOf,
  notarized,
  proposal,
  stable,
} from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import type { Block, Message } from './messages.ts';

const quarter = 250_000;
const others = (self: number): readonly number[] => [0, 1, 2, 3].filter((each) => each !== self);

/** Tells `self` of notarized blocks. */
function tell(network: Network, self: number, chain: readonly Block[]): void {
  for (const each of chain) network.inject(follower(self), self, notarized(network, each));
}

const saidTo = (network: Network, self: number, event: () => void) => {
  network.drop();
  event();
  return network.flights
    .filter(({ from, to }) => from === self && to !== self)
    .map(({ to, message }) => ({ to, message }));
};

/** A chain in every second epoch: each block is notarized, and none is final. */
function gappy(length: number): readonly Block[] {
  const chain = [block(2)];
  while (chain.length < length) {
    const parent = chain.at(-1) as Block;
    chain.push(above(parent, { epoch: parent.epoch + 2 }));
  }
  return chain;
}

describe('a start', () => {
  it('says nothing if there never was anything, and else where it stands', () => {
    const network = make();
    const start = () => saidTo(network, 0, () => network.restart(0));
    expect(start()).toEqual([]);
    tell(network, 0, chainOf(3));
    const said = start();
    expect(said.map(({ to }) => to).sort()).toEqual([1, 2, 3]);
    for (const { message } of said)
      expect(message).toMatchObject({ kind: 'clock', stable: 0, tip: { body: { height: 3 } } });
    // What was final is final again, by what is on the disk.
    expect(network.state(0).final.height).toBe(2);
    expect(network.state(0).epoch).toBe(4);
  });

  it('knows again in which epoch it has voted', () => {
    const network = make();
    const self = follower(1);
    network.inject(leader(1), self, proposal(block(1)));
    expect(network.state(self).voted).toBe(1);
    network.restart(self);
    const other = proposal(block(1, { batch: [] }));
    const { sends } = network.wouldAnswer(leader(1), self, other);
    expect(sends.filter(({ message }) => message.kind === 'vote')).toEqual([]);
  });

  it('says its own checkpoints again until they are stable', () => {
    const network = make();
    tell(network, 0, chainOf(5));
    expect([...network.state(0).checkpoints.keys()]).toEqual([4]);
    const kinds = () => saidTo(network, 0, () => network.restart(0)).filter(({ to }) => to === 1);
    expect(kinds().map(({ message }) => message.kind)).toEqual(['checkpoint', 'clock']);
  });
});

describe('a replica that misses nothing it knows of', () => {
  it('tells f+1 others from time to time where it stands, and in the end all', () => {
    for (const self of [0, 1, 2, 3]) {
      const network = make();
      const told: number[] = [];
      for (let i = 0; i < 3; i++) {
        const said = saidTo(network, self, () => network.fire(self, 'idle'));
        expect(said.map(({ message }) => message.kind)).toEqual(['clock', 'clock']);
        told.push(...said.map(({ to }) => to));
      }
      expect(told.sort()).toEqual(others(self).flatMap((each) => [each, each]));
    }
  });
});

describe('a block that is missing', () => {
  it('is asked for after a while, from one who has voted for it', () => {
    for (const self of [0, 1, 2]) {
      const network = make();
      const tip = notarizationOf(network, block(1));
      network.inject(3, self, clock({ tip }));
      const due = network.seat(self).due('missing') ?? 0;
      expect(due - network.now).toBe(quarter);
      const said = saidTo(network, self, () => network.fire(self, 'missing'));
      expect(said).toHaveLength(1);
      expect(others(self).slice(0, 2)).toContain(said[0]?.to);
      // The longest chain that is here without a gap: what comes next is what it lacks.
      expect(said[0]?.message).toMatchObject({ kind: 'clock', final: 0, tip: null });
      // Asked again as long as it does not come.
      expect(network.seat(self).due('missing')).toBe(network.now + quarter);
    }
  });

  it('comes from one who misses another block of the same chain', () => {
    const chain = gappy(5);
    const network = make();
    const without = (self: number, height: number) => {
      for (const each of chain)
        if (each.height !== height) network.inject(3, self, notarized(network, each));
        else network.inject(3, self, clock({ tip: notarizationOf(network, each) }));
    };
    without(0, 2);
    without(1, 4);
    const heights = (self: number) => [...network.state(self).blocks.values()].length;
    expect([heights(0), heights(1)]).toEqual([4, 4]);
    network.drop();
    for (const [one, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const [asked] = saidTo(network, one, () => network.fire(one, 'missing'));
      const message = (asked as { message: Signed<Message> }).message;
      const { from, signature: _, ...report } = message;
      expect(from).toBe(one);
      const { sends } = network.wouldAnswer(one, other, report as Message);
      for (const sent of sends) network.inject(other, one, sent.message);
    }
    expect([heights(0), heights(1)]).toEqual([5, 5]);
  });

  it('is not asked for once it has come', () => {
    const network = make();
    network.inject(3, 0, clock({ tip: notarizationOf(network, block(1)) }));
    tell(network, 0, [block(1)]);
    expect(saidTo(network, 0, () => network.fire(0, 'missing'))).toEqual([]);
    expect(network.seat(0).due('missing')).toBeUndefined();
  });
});

describe('an answer', () => {
  const answer = (network: Network, message: Message) =>
    network
      .wouldAnswer(3, 0, message)
      .sends.flatMap(({ message: said }) => (said.kind === 'notarized' ? [said.block.height] : []));

  it('holds 64 blocks at most, the lowest first, and the next follows at once', () => {
    const network = make({ checkpointEvery: 128 });
    const chain = chainOf(70);
    tell(network, 0, chain);
    expect(answer(network, clock())).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
    expect(answer(network, clock({ final: 64 }))).toEqual([65, 66, 67, 68, 69, 70]);
    // At the other end: whoever has all of an answer asks for the next one.
    const late = make({ checkpointEvery: 128 });
    const asks = (each: Block) =>
      saidTo(late, 1, () => late.inject(0, 1, notarized(late, each))).filter(
        ({ to, message }) => to === 0 && message.kind === 'clock',
      ).length;
    expect(asks(chain[63] as Block)).toBe(1);
    expect(asks(chain[62] as Block)).toBe(0);
  });

  it('holds what made a block final, also on a branch that came to nothing', () => {
    const network = make({ checkpointEvery: 128 });
    const chain = chainOf(3);
    // Of another branch, and as long as the one whose last three are of epochs in a row.
    const aside = above(chain[1] as Block, { epoch: 4 });
    const behind = follower(4);
    tell(network, behind, [...chain.slice(0, 2), aside]);
    expect(network.state(behind).final.height).toBe(1);
    tell(network, leader(1), [...chain, aside]);
    const { final, tip } = network.state(leader(1));
    expect(final.height).toBe(2);
    const report = clock({ tip });
    const { sends } = network.wouldAnswer(behind, leader(1), report);
    for (const { message } of sends) network.inject(leader(1), behind, message);
    expect(network.state(behind).final.height).toBe(2);
  });

  it('holds the proof of a checkpoint for those whose own is an earlier one', () => {
    const network = make();
    tell(network, 0, chainOf(9));
    const kinds = (height: number) =>
      network
        .wouldAnswer(3, 0, clock({ final: 8, stable: height }))
        .sends.flatMap(({ to, message }) =>
          message.kind === 'stable-checkpoint'
            ? [[to, 'stable', message.checkpoint.body.height]]
            : message.kind === 'checkpoint'
              ? [[to, 'own', message.height]]
              : [],
        );
    expect(network.state(0).stableCheckpoint).toBeNull();
    expect(kinds(0)).toEqual([
      [3, 'own', 4],
      [3, 'own', 8],
    ]);
    expect(kinds(4)).toEqual([[3, 'own', 8]]);
    expect(kinds(8)).toEqual([]);
    const lacks = make();
    lacks.inject(1, 0, stable(lacks, 4));
    const { sends } = lacks.wouldAnswer(3, 0, clock());
    expect(sends).toEqual([
      { to: 3, message: expect.objectContaining({ kind: 'stable-checkpoint' }) },
    ]);
    expect(lacks.wouldAnswer(3, 0, clock({ stable: 4 })).sends).toEqual([]);
  });
});

describe('while an epoch lasts', () => {
  it('what was said in it is said again, word for word, and nothing of another one', () => {
    const network = make();
    const self = leader(1);
    const event = { type: 'propose', command: requestOf(9, 1) } as const;
    const first = saidTo(network, self, () => network.input(self, event));
    const words = (said: typeof first) =>
      said.map(({ message }) => message).filter(({ kind }) => ['proposal', 'vote'].includes(kind));
    expect(words(first).map(({ kind }) => kind)).toContain('proposal');
    expect(network.seat(self).due('repeat')).toBe(network.now + quarter);
    const again = saidTo(network, self, () => network.fire(self, 'repeat'));
    expect(words(again)).toEqual(words(first));
    tell(network, self, [block(2)]);
    expect(network.state(self).epoch).toBe(3);
    expect(words(saidTo(network, self, () => network.fire(self, 'repeat')))).toEqual([]);
  });

  it('that it is over is said again until the next one begins', () => {
    const network = make();
    const event = { type: 'propose', command: requestOf(9, 1) } as const;
    network.input(0, event);
    network.fire(0, 'epoch');
    const again = saidTo(network, 0, () => network.fire(0, 'repeat'));
    expect(again.filter(({ message }) => message.kind === 'clock')).toHaveLength(3);
  });
});

describe('a block may hold requests', () => {
  /** Whether a voter votes for a block on `chain`. */
  function votes(network: Network, chain: readonly Block[], batch: Block['batch']): boolean {
    const next = above(chain.at(-1) as Block, { batch });
    const self = follower(next.epoch);
    tell(network, self, chain);
    const { sends } = network.wouldAnswer(leader(next.epoch), self, proposal(next));
    return sends.some(({ message }) => message.kind === 'vote');
  }
  const requests = [requestOf(9, 1)];

  it('up to 64 heights above the last final one, and is empty further up', () => {
    const far = { checkpointEvery: 128 };
    expect(votes(make(far), gappy(63), requests)).toBe(true);
    expect(votes(make(far), gappy(64), requests)).toBe(false);
    expect(votes(make(far), gappy(64), [])).toBe(true);
  });

  it('until those since the last checkpoint have as many bytes as the window allows', () => {
    // Two checkpoints share them: two requests each.
    const windowBytes = 4 * batchSize([requestOf(1, 1)]);
    const tight = { windowBytes, checkpointEvery: 4, window: 8 };
    expect(votes(make(tight), gappy(1), requests)).toBe(true);
    for (const height of [2, 3]) {
      expect(votes(make(tight), gappy(height), requests)).toBe(false);
      expect(votes(make(tight), gappy(height), [])).toBe(true);
    }
    // A new interval begins.
    expect(votes(make(tight), gappy(4), requests)).toBe(true);
  });

  it('that their clients have signed', () => {
    expect(votes(make(), gappy(1), [{ ...requestOf(9, 1), from: 2 }])).toBe(false);
  });
});
