/** What one replica does, epoch by epoch. */
import { readFileSync } from 'node:fs';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  block,
  chainOf,
  clock,
  follower,
  group,
  leader,
  notarizationOf,
  notarized,
  proposal,
  voteFor,
} from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import { idOf } from './chain.ts';
import { streamlet } from './index.ts';
import type { Block, Message } from './messages.ts';
import { maxEpochsAhead } from './state.ts';

/** Votes of `self` upon a message. */
const votesUpon = (network: Network, from: number, self: number, message: Message) =>
  network
    .wouldAnswer(from, self, message)
    .sends.flatMap(({ message: said }) => (said.kind === 'vote' ? [said.id] : []));

describe('a vote', () => {
  it('is for the first proposal of the leader of the epoch, and for no other', () => {
    const network = make();
    const self = follower(1);
    const first = block(1);
    expect(votesUpon(network, leader(1), self, proposal(first))).toEqual([idOf(group, first)]);
    expect(votesUpon(network, self, self, proposal(first))).toEqual([]);
    network.inject(leader(1), self, proposal(first));
    expect(votesUpon(network, leader(1), self, proposal(block(1, { batch: [] })))).toEqual([]);
    expect(network.accused).toEqual(new Set());
    network.inject(leader(1), self, proposal(block(1, { batch: [] })));
    expect(network.accused).toEqual(new Set([leader(1)]));
  });

  it('is on the disk before it leaves', () => {
    const network = make();
    const output = network.wouldAnswer(leader(1), follower(1), proposal(block(1)));
    expect(output.writes).toContainEqual({ type: 'save', registers: { voted: 1 } });
    expect(output.early).toEqual([]);
  });

  it('is for no block of another height than one above its parent', () => {
    const network = make();
    const high = proposal(block(1, { height: 2 }));
    expect(votesUpon(network, leader(1), follower(1), high)).toEqual([]);
  });

  it('is for no chain that is shorter than one it has seen', () => {
    const network = make();
    const self = follower(2);
    const first = block(1);
    const tip = notarizationOf(network, first);
    network.inject(leader(1), self, clock({ tip }));
    expect(network.state(self).epoch).toBe(2);
    expect(votesUpon(network, leader(2), self, proposal(block(2, { batch: [] })))).toEqual([]);
    const next = block(2, { height: 2, parent: { epoch: 1, id: idOf(group, first) } });
    expect(votesUpon(network, leader(2), self, proposal(next))).toEqual([idOf(group, next)]);
  });

  it('needs a parent that is notarized, as a certificate beside the proposal says', () => {
    const network = make();
    const self = follower(2);
    const first = block(1);
    const next = block(2, { height: 2, parent: { epoch: 1, id: idOf(group, first) } });
    const few = proposal(next, notarizationOf(network, first, [0, 1]));
    const strange = proposal(next, notarizationOf(network, block(1, { batch: [] })));
    for (const each of [few, strange, proposal(next)])
      expect(votesUpon(network, leader(2), self, each)).toEqual([]);
    const whole = proposal(next, notarizationOf(network, first));
    expect(votesUpon(network, leader(2), self, whole)).toEqual([idOf(group, next)]);
  });
});

describe('an epoch', () => {
  const over = (epoch: number): Message => clock({ over: epoch });

  it('is over by the word of a quorum, of which f+1 take a replica along', () => {
    const network = make();
    network.inject(1, 0, over(5));
    expect(network.state(0).epoch).toBe(1);
    const output = network.wouldAnswer(2, 0, over(5));
    expect(output.sends).toContainEqual({ to: 'all', message: over(5) });
    network.inject(2, 0, over(5));
    expect(network.state(0).epoch).toBe(6);
  });

  it('does not end where one speaks of the end of all epochs', () => {
    const network = make();
    network.inject(1, 0, over(2 ** 40));
    network.inject(2, 0, over(1));
    expect(network.state(0).epoch).toBe(2);
  });

  it('that is far ahead is not listened to', () => {
    const network = make();
    const far = block(1 + maxEpochsAhead + 1);
    network.inject(1, 0, voteFor(far));
    expect(network.state(0).heard.size).toBe(0);
  });

  it('lasts while nothing waits, and nothing is said', () => {
    const network = make();
    for (const self of [0, 1, 2, 3]) network.input(self, { type: 'start' });
    network.run(10_000_000);
    expect([...network.sent.keys()]).toEqual(['clock']);
    for (const self of [0, 1, 2, 3]) expect(network.state(self).epoch).toBe(1);
  });
});

describe('what is notarized', () => {
  it('is final too where the block itself, or one below it, comes last', () => {
    for (const late of [1, 2, 3]) {
      const network = make();
      const self = 0;
      const all = chainOf(3);
      for (const each of all)
        if (each.epoch === late)
          network.inject(1, self, clock({ tip: notarizationOf(network, each) }));
        else network.inject(1, self, notarized(network, each));
      network.inject(1, self, notarized(network, all[late - 1] as Block));
      expect(network.seat(self).applied, `epoch ${late}`).toBe(2);
    }
  });
});

describe('a group', () => {
  it('decides what one is asked, and then rests', () => {
    const network = make();
    for (const self of [0, 1, 2, 3]) network.input(self, { type: 'start' });
    network.input(0, { type: 'propose', command: requestOf(1, 1) });
    network.run(5_000_000);
    expect(network.violation).toBeUndefined();
    for (const self of [0, 1, 2, 3]) expect(network.seat(self).applied).toBeGreaterThan(0);
    const votes = network.sent.get('vote');
    network.run(60_000_000);
    expect(network.sent.get('vote')).toBe(votes);
  });

  it('goes on without one of four, wherever it is the leader', () => {
    for (const away of [0, 1, 2, 3]) {
      const network = make();
      network.seat(away).up = false;
      const others = [0, 1, 2, 3].filter((self) => self !== away);
      for (const self of others) network.input(self, { type: 'start' });
      for (let i = 0; i < 8; i++) {
        network.input(others[i % 3] as number, { type: 'propose', command: requestOf(1, i) });
        network.run(120_000_000, () => network.executed.size > i);
      }
      expect(network.executed.size, `without ${away}`).toBe(8);
    }
  });

  it('of too few, or with a window below a checkpoint, is refused in a sentence', () => {
    const told = { digest: testDigest };
    expect(() => streamlet({ n: 3, f: 1, ...told })).toThrow('Use n = 4 or more');
    expect(() => streamlet({ n: 4, window: 2, checkpointEvery: 4, ...told })).toThrow('window');
    expect(() => streamlet({ n: 4, quorum: 2, ...told })).toThrow('quorums of 2 of 4');
  });
});

it('is at most 200 lines, in the three files that are the protocol', () => {
  const code = ['blocks.ts', 'notarized.ts', 'epochs.ts'].flatMap((file) =>
    readFileSync(new URL(file, import.meta.url), 'utf8')
      .replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
      .replaceAll(/^import [\s\S]*?;$/gm, '')
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.trim().startsWith('//')),
  );
  expect(code.length).toBeLessThanOrEqual(200);
});
