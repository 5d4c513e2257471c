/** What locks, who may vote, and to whom requests go as leaders change: seen step by step. */
import type { Output } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { hear, make, votesIn } from '../test/group.ts';
import {
  certificate,
  certified,
  chainOf,
  checkpoint,
  hashOf,
  newView,
  on,
  proposal,
  strange,
  timeouts,
  vote,
} from '../test/messages.ts';
import type { HotStuff } from './index.ts';
import type { Link } from './messages.ts';

const relaysIn = ({ sends }: Output<HotStuff>): unknown[] =>
  sends.flatMap(({ to, message }) =>
    message.kind === 'relay' ? [[to, message.requests.length]] : [],
  );
const propose = (client: number) => ({ type: 'propose', command: requestOf(client, 1) }) as const;

describe('a lock', () => {
  it.each([
    ['chained', 2],
    ['hotstuff-2', 4],
  ] as const)('of %s never goes back, whatever a later certificate is about', (rules, view) => {
    const network = make({ rules });
    const [first, second, third] = chainOf(network, 1, 2, 3) as [Link, Link, Link];
    hear(network, 2, [first, second, third]);
    network.inject(0, 2, newView(certified(network, third)));
    expect(network.state(2).locked.view).toBe(rules === 'chained' ? 2 : 3);
    const late = on(network, first, 5);
    network.inject(1, 2, newView(null, timeouts(network, 7)));
    network.inject(
      3,
      2,
      newView(certified(network, { ...late, block: { ...late.block, view: 4 } })),
    );
    network.inject(3, 2, {
      kind: 'blocks',
      blocks: [{ ...late, block: { ...late.block, view: 4 } }],
    });
    expect(network.state(2).high?.body.view).toBe(4);
    expect(network.state(2).locked.view).toBe(view);
  });
});

describe('a vote is given', () => {
  it('only by one that has the state of what is stable', () => {
    const network = make();
    const stable = certificate(network, checkpoint(8), [0, 1]);
    network.inject(0, 3, { kind: 'stable-checkpoint', checkpoint: stable });
    expect(network.state(3)).toMatchObject({ fetching: 8, committed: { height: 0 } });
    const justify = certificate(network, vote(8, strange('b'), 7));
    const block = { set: 1, view: 9, height: 9, parent: strange('b'), batch: [] };
    const next = proposal({ block, justify });
    expect(votesIn(network.wouldAnswer(2, 3, next))).toEqual([]);
    network.inject(2, 3, next);
    const { sends } = network.wouldDo(3, {
      type: 'snapshot-installed',
      slot: 7,
      digest: strange('c'),
    });
    expect(sends).toContainEqual({ to: 2, message: vote(9, hashOf(block), 8) });
  });

  it('in the view that it is for, and for one block of it, also after a restart', () => {
    const network = make();
    const [first, second, third] = chainOf(network, 1, 2, 3) as [Link, Link, Link];
    hear(network, 2, [first, second]);
    network.stop(2);
    network.restart(2);
    const other = on(network, first, 2, []);
    const again = network.wouldAnswer(0, 2, proposal(other));
    expect([votesIn(again), again.writes]).toEqual([[], []]);
    network.inject(0, 2, newView(certified(network, third)));
    network.inject(0, 2, { kind: 'blocks', blocks: [third] });
    expect(network.state(2).view).toBe(4);
    expect(votesIn(network.wouldAnswer(0, 2, proposal(third)))).toEqual([]);
    // With a certificate of the view before, timeouts of that view are no reason.
    const fourth = on(network, third, 4);
    expect(votesIn(network.wouldAnswer(1, 2, proposal(fourth)))).toHaveLength(1);
    const both = proposal(fourth, timeouts(network, 3));
    expect(votesIn(network.wouldAnswer(1, 2, both))).toEqual([]);
  });

  it('on a block that is certified, and on no other that is here, also after timeouts', () => {
    const network = make();
    const first = on(network, null, 1);
    hear(network, 2, [first]);
    const { block } = on(network, first, 4);
    const after = timeouts(network, 3);
    const answer = network.wouldAnswer(1, 2, proposal({ block, justify: null }, after));
    expect([votesIn(answer), answer.writes]).toEqual([[], []]);
    expect(votesIn(network.wouldAnswer(1, 2, proposal(on(network, first, 4), after)))).toHaveLength(
      1,
    );
  });
});

it('votes make a certificate only if they saw the same one', () => {
  const network = make();
  for (const [from, justifyView] of [
    [1, 0],
    [2, 1],
    [3, 1],
  ] as const)
    network.inject(from, 0, vote(2, strange('a'), justifyView));
  expect(network.state(0).high).toBeNull();
});

describe('a decision', () => {
  it('names who certified the block that showed it', () => {
    const network = make();
    const [first, second] = chainOf(network, 1, 2) as [Link, Link];
    hear(network, 2, [first, second]);
    const word = newView(certified(network, second, [0, 1, 3]));
    const { decisions } = network.wouldAnswer(0, 2, word);
    expect(decisions).toMatchObject([{ slot: 0, commands: first.block.batch, voters: [0, 1, 3] }]);
  });
});

describe('requests', () => {
  it('go to the leader of this view until its block is here, and then to the next one', () => {
    const network = make();
    const links = chainOf(network, 1, 2, 3);
    hear(network, 2, links.slice(0, 2));
    network.inject(0, 2, newView(certified(network, links[1] as Link)));
    expect(network.state(2).view).toBe(3);
    expect(relaysIn(network.wouldDo(2, propose(9)))).toEqual([[0, 1]]);
    hear(network, 2, links.slice(2));
    expect(relaysIn(network.wouldDo(2, propose(9)))).toEqual([[1, 1]]);
  });

  it('that no block holds are handed over when the leader changes, as many as it can use', () => {
    const network = make({ maxBatch: 2 });
    for (let client = 0; client < 11; client++) network.input(2, propose(client));
    network.inject(0, 2, proposal(on(network, null, 1, [requestOf(0, 1), requestOf(1, 1)])));
    network.drop();
    const word = newView(null, timeouts(network, 3));
    expect(relaysIn(network.wouldAnswer(0, 2, word))).toEqual(Array(4).fill([1, 2]));
    const [handed] = network
      .wouldAnswer(0, 2, word)
      .sends.filter(({ message }) => message.kind === 'relay');
    expect(handed?.message).toMatchObject({ requests: [{ client: 65_538 }, { client: 65_539 }] });
    network.inject(0, 2, word);
    const none = network.wouldAnswer(0, 2, newView(null, timeouts(network, 7)));
    expect(relaysIn(none)).toEqual([]);
    expect(network.state(2).relaysTo).toBe(1);
    const few = make({ maxBatch: 2 });
    for (let client = 0; client < 3; client++) few.input(2, propose(client));
    expect(relaysIn(few.wouldAnswer(0, 2, word))).toEqual([
      [1, 2],
      [1, 1],
    ]);
  });

  it('do not count against a leader while a state is on its way here', () => {
    const network = make();
    network.input(2, propose(9));
    network.now = 400_000;
    const stable = certificate(network, checkpoint(8), [0, 1]);
    network.inject(0, 2, { kind: 'stable-checkpoint', checkpoint: stable });
    const fires = { type: 'timeout', timer: 'pacemaker' } as const;
    network.now = 5_000_000;
    const { writes, timers } = network.wouldDo(2, fires);
    expect([writes, timers]).toEqual([[], [{ type: 'set', timer: 'pacemaker', after: 600_000 }]]);
    network.input(2, { type: 'snapshot-installed', slot: 7, digest: strange('c') });
    network.input(2, propose(8));
    network.now = 5_999_999;
    expect(network.wouldDo(2, fires).writes).toEqual([]);
    network.now = 6_000_000;
    expect(network.wouldDo(2, fires).writes).toMatchObject([{ registers: { lastTimeout: {} } }]);
  });

  it('are remembered to be in the last eight blocks that held them', () => {
    const network = make({ reign: 16 });
    const request = requestOf(5, 1);
    const first = on(network, null, 1, [request]);
    hear(network, 2, [first]);
    let parent = first;
    for (let view = 2; view <= 10; view++) {
      parent = on(network, parent, view, [request]);
      network.inject(0, 2, proposal({ ...parent, block: { ...parent.block } }));
    }
    const held = [...network.state(2).waiting.values()][0]?.blocks ?? [];
    expect(held.length).toBeLessThanOrEqual(8);
  });
});
