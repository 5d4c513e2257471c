/** What is kept behind a checkpoint, and what a replica says of itself when it is back. */
import type { Output } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { hear, makeLong as make, stable } from '../test/group.ts';
import {
  certified,
  chainOf,
  checkpoint,
  hashOf,
  newView,
  on,
  status,
  strange,
  timeouts,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { HotStuff } from './index.ts';
import type { Checkpoint, Link, Message } from './messages.ts';

const heights = (network: Network, self: number): number[] =>
  [...network.state(self).tree.values()].map(({ height }) => height).sort((a, b) => a - b);
const kindsTo = ({ sends }: Output<HotStuff>, to: number): string[] =>
  sends.filter((each) => each.to === to).map(({ message }) => message.kind);

/** Replicas 2 and 3 have a chain of six blocks, of which four are committed, and its checkpoint. */
function chained(): [Network, readonly Link[], Checkpoint] {
  const network = make();
  const links = chainOf(network, 1, 2, 3, 4, 5, 6);
  for (const self of [2, 3]) hear(network, self, links);
  network.drop();
  return [network, links, network.state(3).checkpoints.get(4) as Checkpoint];
}

describe('behind a stable checkpoint', () => {
  it('only its block and those above are kept, and nothing is wanted any more', () => {
    const [network, , body] = chained();
    expect(heights(network, 2)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    network.inject(0, 2, newView(certified(network, on(network, null, 7, []))));
    expect(network.state(2).wanted.size).toBe(1);
    network.inject(0, 2, stable(network, body));
    expect(heights(network, 2)).toEqual([4, 5, 6]);
    expect(network.state(2).stableCheckpoint?.body).toEqual(body);
    expect([...network.state(2).chain.keys()]).toEqual([]);
  });

  it('of others, the place of what is committed here is kept as well', () => {
    const network = make();
    hear(network, 2, chainOf(network, 1, 2));
    network.inject(0, 2, stable(network, checkpoint(8)));
    expect(heights(network, 2)).toEqual([0, 8]);
    // A second one is asked for only if it is later.
    expect(network.wouldAnswer(0, 2, stable(network, checkpoint(12))).fetches).toHaveLength(1);
    expect(network.wouldAnswer(0, 2, stable(network, checkpoint(4))).fetches).toEqual([]);
  });

  it('that came before its blocks, all is as if it had come after them', () => {
    const [network, links, body] = chained();
    network.inject(0, 1, stable(network, body));
    expect(network.state(1)).toMatchObject({ stableCheckpoint: null, ahead: { body } });
    // An earlier one, or the same, is no news.
    const since = network.state(1).checkpointSince;
    network.now += 1000;
    network.inject(0, 1, stable(network, body));
    expect(network.state(1).checkpointSince).toBe(since);
    hear(network, 1, links);
    expect(network.state(1)).toMatchObject({
      ahead: null,
      stableCheckpoint: { body },
      checkpoints: new Map(),
      snapshot: { height: 4 },
    });
    expect(heights(network, 1)).toEqual([4, 5, 6]);
  });

  it('whoever reports that it lacks that, or asks below it, is sent it', () => {
    const [network, links, body] = chained();
    network.inject(0, 2, stable(network, body));
    network.now = 10_000_000;
    const reports = { view: 6, highView: 5, height: 4 };
    const told = (height: number) =>
      network.wouldAnswer(3, 2, status({ ...reports, stable: height })).sends;
    expect(told(0)).toEqual([{ to: 3, message: stable(network, body) }]);
    expect(told(4)).toEqual([]);
    const ask = (above: number): Message => ({
      kind: 'fetch-blocks',
      block: hashOf((links[5] as Link).block),
      above,
    });
    expect(kindsTo(network.wouldAnswer(3, 2, ask(3)), 3)).toEqual(['blocks', 'stable-checkpoint']);
    expect(kindsTo(network.wouldAnswer(3, 2, ask(4)), 3)).toEqual(['blocks']);
  });

  it('what is not stable yet is told by its word alone', () => {
    const [network, , body] = chained();
    network.now = 10_000_000;
    const reports = { view: 6, highView: 5, height: 4 };
    expect(network.wouldAnswer(3, 2, status(reports)).sends).toEqual([{ to: 3, message: body }]);
    expect(network.wouldAnswer(3, 2, status({ ...reports, stable: 4 })).sends).toEqual([]);
    for (const less of [{ highView: 4 }, { height: 3 }, { view: 5 }])
      expect(
        kindsTo(network.wouldAnswer(3, 2, status({ ...reports, stable: 4, ...less })), 3),
      ).toEqual(['new-view']);
    for (const more of [{ highView: 6 }, { height: 5 }, { view: 7 }])
      expect(
        kindsTo(network.wouldAnswer(3, 2, status({ ...reports, stable: 4, ...more })), 3),
      ).toEqual(['status']);
    expect(network.wouldAnswer(2, 2, status()).sends).toEqual([]);
  });
});

describe('a replica that is back', () => {
  const back = (network: Network, self = 2): string[] => {
    network.drop();
    network.stop(self);
    network.restart(self);
    return network.flights
      .filter(({ from, to }) => from === self && to === 3)
      .map(({ message }) => message.kind);
  };

  it.each<[string, (network: Network) => void]>([
    ['a certificate', (at) => at.inject(0, 2, newView(certified(at, on(at, null, 1))))],
    [
      'a timeout',
      (at) => {
        for (const from of [0, 1])
          at.inject(from, 2, { kind: 'timeout', set: 1, view: 7, highView: 0 });
      },
    ],
    ['timeouts of others', (at) => at.inject(0, 2, newView(null, timeouts(at, 7)))],
    ['a vote', (at) => hear(at, 2, [on(at, null, 1)])],
    ['a stable checkpoint', (at) => at.inject(0, 2, stable(at, checkpoint(8)))],
  ])('with %s on its disk says so, and hears anew who is there', (_, happens) => {
    const network = make();
    happens(network);
    expect(back(network)).toContain('status');
    expect(network.state(2).heard).toEqual(new Set([2]));
    expect(network.seat(2).timers.has('status')).toBe(true);
  });

  it('with a proposal on its disk says that again, in its view and in no other', () => {
    const network = make();
    network.input(0, { type: 'propose', command: requestOf(5, 1) });
    expect(back(network, 0)).toEqual(['proposal', 'status']);
    network.inject(3, 0, newView(certified(network, on(network, null, 1))));
    network.now = 10_000_000;
    expect(kindsTo(network.wouldAnswer(3, 0, status()), 3)).toEqual(['new-view']);
    expect(back(network, 0)).toEqual(['status']);
  });

  it('says its checkpoints again, and fetches the state that it lacked', () => {
    const [network, , body] = chained();
    expect(back(network)).toEqual(['checkpoint', 'status']);
    expect(network.flights.map(({ message }) => message)).toContainEqual(
      expect.objectContaining({ height: 4, state: body.state }),
    );
    const other = make();
    other.inject(0, 2, stable(other, checkpoint(8)));
    back(other);
    expect(other.seat(2).fetches).toMatchObject([{ slot: 7, digest: strange('c') }]);
  });

  it('as a leader by the rules of hotstuff-2 waits for certificates once more', () => {
    for (const [rules, self, waits] of [
      ['hotstuff-2', 1, true],
      ['hotstuff-2', 2, false],
      ['jolteon', 1, false],
    ] as const) {
      const network = make({ rules });
      network.inject(0, self, newView(null, timeouts(network, 7)));
      network.seat(self).timers.clear();
      back(network, self);
      expect(network.seat(self).timers.has('propose')).toBe(waits);
    }
  });
});
