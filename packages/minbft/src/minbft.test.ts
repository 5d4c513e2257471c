/** What one replica does with numbers, votes and views. */
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { make, type Network } from '../test/network.ts';
import { minbft } from './index.ts';
import { type Message, type Prepare, schemas } from './messages.ts';

const { content } = schemas({ n: 3, window: 8, maxBatch: 256 });
const batch = [requestOf(0, 0)];
const digest = testDigest(content, batch);

const prepare = (part: Partial<Prepare> = {}): Prepare => ({
  kind: 'prepare',
  number: 1,
  view: 0,
  sequence: 1,
  digest,
  ...part,
});

/** The primary's batch and some statement of it, at `self`. */
function tell(network: Network, self: number, message: Message): void {
  network.inject(0, self, { kind: 'batch', batch });
  network.inject(0, self, message);
}

const commits = (network: Network, self: number): number =>
  [...network.state(self).said.values()].filter(({ kind }) => kind === 'commit').length;

describe('a statement', () => {
  it('waits for all lower numbers of its sender', () => {
    const network = make();
    tell(network, 1, prepare({ number: 2 }));
    expect(commits(network, 1)).toBe(0);
    network.inject(0, 1, { kind: 'checkpoint', number: 1, sequence: 4, digest });
    expect(commits(network, 1)).toBe(1);
  });

  it('counts once, also where another one comes under its number: then it is proof', () => {
    const network = make();
    tell(network, 1, prepare());
    tell(network, 1, prepare({ digest: testDigest(content, []) }));
    expect(network.accused).toEqual(new Set([0]));
    expect(commits(network, 1)).toBe(1);
  });

  it('is numbered and on the disk before it leaves', () => {
    const network = make();
    network.inject(0, 1, { kind: 'batch', batch });
    const output = network.wouldAnswer(0, 1, prepare());
    expect(output.writes).toContainEqual({ type: 'save', registers: { number: 1 } });
    expect(output.early).toEqual([]);
    expect(output.sends.filter(({ message }) => message.kind === 'commit')).toHaveLength(1);
  });
});

describe('a prepare', () => {
  it.each([
    ['of a view that has not begun', { view: 3 }],
    ['above a checkpoint that its primary has not said', { sequence: 5 }],
    ['at no position', { sequence: 0 }],
  ])('%s is no vote', (_, part) => {
    const network = make();
    tell(network, 1, prepare(part));
    expect(network.state(1).heard.get(0)?.votes.size).toBe(0);
    expect(commits(network, 1)).toBe(0);
  });

  it('of another than the primary is no vote', () => {
    const network = make();
    network.inject(2, 1, prepare());
    expect(commits(network, 1)).toBe(0);
  });

  it('is committed to once its batch is here', () => {
    const network = make();
    network.inject(0, 1, prepare());
    expect(commits(network, 1)).toBe(0);
    network.inject(2, 1, { kind: 'batch', batch });
    expect(commits(network, 1)).toBe(1);
  });
});

describe('a group of three', () => {
  it('executes with two votes, and without the third member', () => {
    const network = make();
    network.stop(2);
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.run(500_000, () => network.executed.size === 1);
    expect([0, 1].map((self) => network.seat(self).applied)).toEqual([1, 1]);
  });

  it('goes on with another primary, and executes again nothing that was executed', () => {
    const network = make();
    network.input(0, { type: 'propose', command: requestOf(0, 0) });
    network.run(500_000);
    network.stop(0);
    for (const self of [1, 2]) network.input(self, { type: 'propose', command: requestOf(0, 1) });
    network.run(20_000_000, () => network.executed.size === 2);
    expect(network.executed.size).toBe(2);
    expect(network.violation).toBeUndefined();
    expect(network.state(1).view).toBeGreaterThan(0);
  });

  it('lets go of what lies before a stable checkpoint', () => {
    const network = make();
    for (let i = 0; i < 12; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.run(500_000);
    }
    expect(network.executed.size).toBe(12);
    expect(network.state(1).stable[0]?.sequence).toBeGreaterThanOrEqual(8);
    expect(network.state(1).heard.get(0)?.votes.size).toBeLessThanOrEqual(4);
  });

  it('has back a member that was away too long for messages', () => {
    const network = make();
    network.stop(2);
    for (let i = 0; i < 12; i++) {
      network.input(0, { type: 'propose', command: requestOf(0, i) });
      network.run(500_000);
    }
    network.drop();
    network.restart(2);
    network.run(30_000_000, () => network.seat(2).applied === 12);
    expect(network.seat(2).state).toBe(network.seat(0).state);
  });
});

it('needs 2f+1 replicas', () => {
  expect(() => minbft({ n: 2, f: 1, digest: testDigest })).toThrow('Use n = 3 or more');
});
