import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { hear, kindsOf, makeLong as make, stable } from '../test/group.ts';
import {
  certified,
  chainOf,
  hashOf,
  newView,
  on,
  status,
  strange,
  timeouts,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { Checkpoint, Link, Message } from './messages.ts';

const period = 500_000;

/** Replica 2 has voted for a chain of these views, and committed all but its last two blocks. */
function behindChain(...views: readonly number[]): [Network, readonly Link[]] {
  const network = make();
  const links = chainOf(network, ...views);
  hear(network, 2, links);
  network.drop();
  network.now = 10_000_000;
  return [network, links];
}

describe('a report on where a replica stands is answered', () => {
  const answer = (network: Network, message: Message, from = 3): string[] =>
    kindsOf(network.wouldAnswer(from, 2, message));
  const same = { view: 3, highView: 2, height: 1 };

  it('with what its sender lacks, and nothing else', () => {
    const [network] = behindChain(1, 2, 3);
    expect(network.state(2)).toMatchObject({ view: 3, committed: { height: 1 } });
    expect(answer(network, status(same))).toEqual([]);
    for (const less of [{ view: 2 }, { highView: 1 }, { height: 0 }])
      expect(answer(network, status({ ...same, ...less }))).toEqual(['new-view']);
    for (const more of [{ view: 4 }, { highView: 3 }, { height: 2 }])
      expect(answer(network, status({ ...same, ...more }))).toEqual(['status']);
    expect(network.wouldAnswer(3, 2, status({ ...same, view: 9 })).sends).toEqual([
      { to: 3, message: status(same) },
    ]);
  });

  it('once in half a period, each member apart, and never to itself', () => {
    const [network] = behindChain(1, 2, 3);
    network.inject(3, 2, status());
    network.now += period / 2 - 1;
    expect(answer(network, status())).toEqual([]);
    expect(answer(network, status(), 1)).toEqual(['new-view']);
    expect(answer(network, status(), 2)).toEqual([]);
    network.now += 1;
    expect(answer(network, status())).toEqual(['new-view']);
  });

  it('with the proposal of its leader, word for word', () => {
    const network = make();
    network.input(0, { type: 'propose', command: requestOf(5, 1) });
    const sent = network.flights[0]?.message;
    expect(network.wouldAnswer(3, 0, status({ height: 1 })).sends).toEqual([
      { to: 3, message: status() },
    ]);
    const late = network.wouldAnswer(3, 0, status({ view: 0 })).sends;
    expect(late).toMatchObject([{ message: { kind: 'new-view' } }, { to: 3 }]);
    expect(late[1]?.message).toMatchObject({ block: (sent as { block: object }).block });
  });

  it('with own checkpoints, the highest three, and the stable one', () => {
    const network = make({ reign: 32, window: 40 });
    hear(network, 2, chainOf(network, ...Array.from({ length: 18 }, (_, i) => i + 1)));
    const given = (stableHeight: number): unknown[] =>
      network
        .wouldAnswer(3, 2, status({ view: 18, highView: 17, height: 16, stable: stableHeight }))
        .sends.map(({ message }) => ('height' in message ? message.height : message.kind));
    expect(given(0)).toEqual([16, 12, 8]);
    expect(given(12)).toEqual([16]);
    network.inject(3, 2, stable(network, network.state(2).checkpoints.get(8) as Checkpoint));
    expect(given(0)).toEqual(['stable-checkpoint', 16, 12]);
  });
});

describe('blocks are handed out', () => {
  const fetch = (link: Link | undefined, above = 0): Message => ({
    kind: 'fetch-blocks',
    block: link === undefined ? strange('a') : hashOf(link.block),
    above,
  });
  const given = (network: Network, message: Message): number[] =>
    network
      .wouldAnswer(3, 2, message)
      .sends.flatMap(({ message: each }) =>
        each.kind === 'blocks' ? each.blocks.map(({ block }) => block.height) : [],
      );

  it('newest first, down to what is known there, and none that are not here', () => {
    const [network, links] = behindChain(1, 2, 3, 4);
    expect(given(network, fetch(links[3]))).toEqual([4, 3, 2, 1]);
    expect(given(network, fetch(links[3], 2))).toEqual([4, 3]);
    expect(given(network, fetch(links[1], 2))).toEqual([]);
    expect(network.wouldAnswer(3, 2, fetch(undefined)).sends).toEqual([]);
    expect(network.wouldAnswer(2, 2, fetch(links[3])).sends).toEqual([]);
  });

  it('up to 16 at a time, with no more requests than one block', () => {
    const network = make({ checkpointEvery: 64 });
    const links = chainOf(network, ...Array.from({ length: 20 }, (_, i) => i + 1));
    network.inject(0, 2, newView(certified(network, links[19] as Link)));
    for (const link of [...links].reverse())
      network.inject(0, 2, { kind: 'blocks', blocks: [link] });
    expect(given(network, fetch(links[19]))).toHaveLength(16);
    const small = make({ maxBatch: 2 });
    hear(small, 2, links.slice(0, 4));
    expect(given(small, fetch(links[3]))).toEqual([4, 3]);
    const one = make({ maxBatch: 1 });
    hear(one, 2, links.slice(0, 4));
    expect(given(one, fetch(links[3]))).toEqual([4]);
  });

  it('a window of times between two reports', () => {
    const [network, links] = behindChain(1, 2, 3, 4);
    for (let i = 0; i < 16; i++) {
      expect(given(network, fetch(links[3]))).toHaveLength(4);
      network.inject(3, 2, fetch(links[3]));
    }
    expect(given(network, fetch(links[3]))).toEqual([]);
    network.inject(3, 2, status());
    expect(given(network, fetch(links[3]))).toHaveLength(4);
  });
});

describe('blocks that come', () => {
  it('were asked for, and each names the one before it', () => {
    const network = make();
    const links = chainOf(network, 1, 2, 3);
    const [first, second, third] = links as [Link, Link, Link];
    const kept = (): number => network.state(2).tree.size - 1;
    network.inject(0, 2, { kind: 'blocks', blocks: [third] });
    expect(kept()).toBe(0);
    network.inject(0, 2, newView(certified(network, third)));
    const asked = network.flights.filter(({ message }) => message.kind === 'fetch-blocks');
    expect(asked.map(({ to }) => to)).toEqual([0, 1]);
    for (const wrong of [
      { ...third, justify: certified(network, second, [0, 1]) },
      { ...third, justify: certified(network, first) },
      { ...third, block: { ...third.block, batch: [] } },
    ]) {
      network.inject(0, 2, { kind: 'blocks', blocks: [wrong] });
      expect(kept()).toBe(0);
    }
    const { sends } = network.wouldAnswer(3, 2, { kind: 'blocks', blocks: [third] });
    const more = { kind: 'fetch-blocks', block: hashOf(second.block), above: 0 };
    expect(sends).toContainEqual({ to: 3, message: more });
    network.inject(3, 2, { kind: 'blocks', blocks: [third, first] });
    expect(kept()).toBe(1);
    network.inject(3, 2, { kind: 'blocks', blocks: [second, first] });
    expect(kept()).toBe(3);
    expect(network.state(2)).toMatchObject({ committed: { height: 2 }, wanted: new Map() });
  });

  it('at or below what is committed are of no use', () => {
    const [network, links] = behindChain(1, 2, 3);
    const other = on(network, null, 1, []);
    const onOther = on(network, other, 4, []);
    network.inject(0, 2, newView(certified(network, onOther)));
    expect(network.state(2).wanted.size).toBe(1);
    network.inject(0, 2, { kind: 'blocks', blocks: [onOther] });
    const before = network.state(2).tree.size;
    network.inject(0, 2, { kind: 'blocks', blocks: [other] });
    expect(network.state(2).tree.size).toBe(before);
    expect(links).toHaveLength(3);
  });
});

describe('a replica that lacks something', () => {
  const tick = { type: 'timeout', timer: 'status' } as const;
  const said = (network: Network, self = 2): string[] =>
    network.wouldDo(self, tick).sends.map(({ to, message }) => `${message.kind} ${to}`);

  it('asks for it when it is late, and never for what is not missing', () => {
    const network = make();
    expect(network.wouldDo(2, tick)).toMatchObject({ sends: [], timers: [] });
    network.input(2, { type: 'propose', command: requestOf(5, 1) });
    network.now = period - 1;
    expect(said(network)).toEqual([]);
    expect(network.wouldDo(2, tick).timers).toEqual([
      { type: 'set', timer: 'status', after: period },
    ]);
    network.now = period;
    expect(said(network)).toEqual(['relay 0', 'status all']);
  });

  it('asks f+1 others for blocks, each time others', () => {
    const network = make();
    network.inject(0, 2, newView(certified(network, on(network, null, 1))));
    const asked: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      network.drop();
      network.fire(2, 'status');
      asked.push(
        network.flights
          .filter(({ message }) => message.kind === 'fetch-blocks')
          .map(({ to }) => to),
      );
    }
    expect(asked).toEqual([
      [1, 3],
      [0, 1],
      [3, 0],
    ]);
  });

  it('says its vote, its timeout and its proposal again', () => {
    const network = make();
    hear(network, 2, [on(network, null, 1)]);
    network.now = period;
    expect(said(network)).toEqual(['relay 0', 'vote 0', 'status all']);
    for (const from of [1, 3])
      network.inject(from, 2, { kind: 'timeout', set: 1, view: 7, highView: 0 });
    expect(said(network)).toEqual([
      'relay 0',
      'new-view all',
      'timeout all',
      'vote 0',
      'status all',
    ]);
    const leader = make();
    leader.input(0, { type: 'propose', command: requestOf(5, 1) });
    leader.now = period;
    expect(said(leader, 0)).toEqual(['proposal all', 'status all']);
    const after = make();
    after.inject(0, 1, newView(null, timeouts(after, 7)));
    after.input(1, { type: 'propose', command: requestOf(5, 1) });
    after.now = period;
    const again = after.wouldDo(1, tick).sends.find(({ message }) => message.kind === 'proposal');
    expect(again?.message).toMatchObject({ timeouts: [{}, {}, {}] });
  });
});

describe('the timer that says where a replica stands', () => {
  it('tells f+1 others at a time, all in turn, and never itself', () => {
    const network = make();
    const told: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      network.drop();
      network.fire(2, 'idle');
      told.push(network.flights.map(({ to, message }) => [to, message.kind]));
    }
    const pair = (...to: number[]) => to.map((each) => [each, 'status']);
    expect(told).toEqual([pair(3, 0), pair(1, 3), pair(0, 1)]);
  });
});

describe('a replica that starts', () => {
  const started = (network: Network): string[] => {
    network.drop();
    network.stop(2);
    network.restart(2);
    return network.flights
      .filter(({ from }) => from === 2)
      .map(({ to, message }) => `${message.kind} ${to}`)
      .filter((each, i, all) => all.indexOf(each) === i);
  };
  const all = (kind: string): string[] => [0, 1, 2, 3].map((to) => `${kind} ${to}`);

  it('has nothing to say if it has never run', () => {
    const network = make();
    expect(started(network)).toEqual([]);
    expect([...network.seat(2).timers.keys()]).toEqual(['idle']);
    expect(network.state(2).heard.size).toBe(4);
  });

  it('says its vote again, waits for what it holds, and hears anew who is there', () => {
    const network = make();
    hear(network, 2, [on(network, null, 1)]);
    expect(started(network)).toEqual(['vote 0', ...all('status')]);
    expect(network.state(2)).toMatchObject({ heard: new Set([2]), waiting: { size: 1 } });
    expect(network.seat(2).timers.has('pacemaker')).toBe(true);
    for (const from of [1, 3])
      network.inject(from, 2, { kind: 'timeout', set: 1, view: 7, highView: 0 });
    expect(started(network)).toEqual([
      ...all('new-view'),
      ...all('timeout'),
      'vote 0',
      ...all('status'),
    ]);
  });
});
