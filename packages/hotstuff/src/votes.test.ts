/** What is voted for, certified and committed: each seen in what one step would do. */
import type { Output } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { hear, make, votesIn } from '../test/group.ts';
import {
  batchOf,
  certificate,
  certified,
  chainOf,
  hashOf,
  newView,
  on,
  proposal,
  strange,
  timeouts,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import { genesisHash } from './blocks.ts';
import type { HotStuff, RulesName } from './index.ts';
import type { Link, Message, Proposal } from './messages.ts';

describe('a proposal', () => {
  it('is written, and voted for to the leader of the next view, in one step', () => {
    const network = make();
    const [first, second, third] = chainOf(network, 1, 2, 3) as [Link, Link, Link];
    const hash = hashOf(first.block);
    const answer = network.wouldAnswer(0, 2, proposal(first));
    expect(answer.writes).toEqual([
      { type: 'put', table: 'blocks', index: 1, row: { hash, ...first } },
      { type: 'save', registers: { lastVoted: 1 } },
    ]);
    expect(votesIn(answer)).toEqual([[0, vote(1, hash, 0)]]);
    hear(network, 2, [first, second]);
    expect(votesIn(network.wouldAnswer(0, 2, proposal(third)))).toEqual([
      [1, vote(3, hashOf(third.block), 2)],
    ]);
  });

  it('carries the certificate of its parent, which moves its receiver on', () => {
    const network = make();
    const [first, second] = chainOf(network, 1, 2) as [Link, Link];
    hear(network, 2, [first]);
    expect(network.wouldAnswer(0, 2, proposal(second)).writes[0]).toEqual({
      type: 'save',
      registers: { high: second.justify },
    });
    hear(network, 2, [second]);
    expect(network.seat(2).machine.status()).toEqual({ leader: 0, term: 2, role: 'replica' });
  });

  const lies: readonly (readonly [string, (at: Network) => [number, Proposal]])[] = [
    ['of no leader', (at) => [1, proposal(on(at, null, 1))]],
    [
      'on a block that its certificate is not about',
      (at) => {
        const [first, second] = chainOf(at, 1, 2) as [Link, Link];
        const other = on(at, null, 1, batchOf(9));
        return [
          0,
          proposal({
            ...second,
            justify: certified(at, other),
            block: { ...second.block, parent: hashOf(first.block) },
          }),
        ];
      },
    ],
    [
      'without the certificate of its parent',
      (at) => [0, proposal({ ...on(at, on(at, null, 1), 2), justify: null })],
    ],
    [
      'with a certificate that is one short',
      (at) => {
        const first = on(at, null, 1);
        return [0, proposal({ ...on(at, first, 2), justify: certified(at, first, [0, 1]) })];
      },
    ],
    ['in a view that has not begun', (at) => [0, proposal(on(at, null, 2))]],
    ['in a view after a gap', (at) => [0, proposal(on(at, on(at, null, 1), 3))]],
    ['after timeouts of another view', (at) => [1, proposal(on(at, null, 4), timeouts(at, 7))]],
    [
      'after timeouts of a view that a certificate has ended',
      (at) => [1, proposal(on(at, on(at, null, 3), 4), timeouts(at, 3))],
    ],
    [
      'after timeouts that are one short',
      (at) => [1, proposal(on(at, null, 4), timeouts(at, 3, { 0: 0, 1: 0 }))],
    ],
    [
      'at a height that does not follow its parent',
      (at) => {
        const second = on(at, on(at, null, 1), 2);
        return [0, proposal({ ...second, block: { ...second.block, height: 3 } })];
      },
    ],
    [
      'with a request that its client has not signed',
      (at) => [0, proposal(on(at, null, 1, [{ ...requestOf(1, 1), from: 2 }]))],
    ],
  ];
  it.each(lies)('%s gets no vote', (what, lie) => {
    const network = make();
    const [from, message] = lie(network);
    if (what.includes('height') || what.includes('certificate') || what.includes('gap'))
      hear(network, 2, [on(network, null, 1)]);
    const step = network.wouldDo(2, {
      type: 'message',
      message: { ...message, from, signature: new Uint8Array(4) as never },
    });
    expect(votesIn(step)).toEqual([]);
    expect(step.writes.filter(({ type }) => type === 'put')).toEqual([]);
  });

  it('is voted for once a view, also when it is said again', () => {
    const network = make();
    const first = on(network, null, 1);
    hear(network, 2, [first]);
    const again = network.wouldAnswer(0, 2, proposal(first));
    expect([again.writes, again.sends]).toEqual([[], []]);
  });

  it('is proof against its leader where another one was heard, and ends its reign', () => {
    const network = make();
    hear(network, 2, [on(network, null, 1)]);
    const other = proposal(on(network, null, 1, batchOf(9)));
    const { accusations, sends, writes } = network.wouldAnswer(0, 2, other);
    expect(accusations).toMatchObject([{ first: { from: 0 }, second: { from: 0 } }]);
    expect(writes).toEqual([
      {
        type: 'save',
        registers: { lastTimeout: { kind: 'timeout', set: 1, view: 3, highView: 0 } },
      },
    ]);
    expect(sends.map(({ message }) => message.kind)).toEqual(['new-view', 'timeout']);
  });

  it('gets no vote up to the view of the own timeout', () => {
    const network = make();
    const [first, second, third] = chainOf(network, 1, 2, 3) as [Link, Link, Link];
    for (const from of [1, 3])
      network.inject(from, 2, { kind: 'timeout', set: 1, view: 3, highView: 0 });
    expect(network.state(2).lastTimeout?.view).toBe(3);
    for (const link of [first, second, third]) {
      expect(votesIn(network.wouldAnswer(0, 2, proposal(link)))).toEqual([]);
      hear(network, 2, [link]);
    }
    const fourth = proposal(on(network, third, 4));
    expect(votesIn(network.wouldAnswer(1, 2, fourth))).toHaveLength(1);
  });

  it('whose parent is missing waits for it, and is asked about where it was certified', () => {
    const network = make();
    const [first, second] = chainOf(network, 1, 2) as [Link, Link];
    const { sends } = network.wouldAnswer(0, 3, proposal(second));
    const wanted = { kind: 'fetch-blocks', block: hashOf(first.block), above: 0 };
    expect(sends.filter(({ message }) => message.kind === 'fetch-blocks')).toEqual(
      [0, 1].map((to) => ({ to, message: wanted })),
    );
    network.inject(0, 3, proposal(second));
    const answer = network.wouldAnswer(0, 3, { kind: 'blocks', blocks: [first] });
    expect(votesIn(answer)).toEqual([[0, vote(2, hashOf(second.block), 1)]]);
  });
});

describe('after timeouts', () => {
  /** Replica 2 has certificates up to view 2, and blocks of views 1 and 2. */
  function ahead(rules: RulesName): [Network, Link, Link] {
    const network = make({ rules });
    const [first, second] = chainOf(network, 1, 2) as [Link, Link];
    hear(network, 2, [first, second]);
    network.inject(0, 2, newView(certified(network, second)));
    expect(network.state(2)).toMatchObject({ view: 3, high: { body: { view: 2 } } });
    return [network, first, second];
  }
  const isVoted = (network: Network, parent: Link | null, highViews: Record<number, number>) => {
    const message = proposal(on(network, parent, 4), timeouts(network, 3, highViews));
    return votesIn(network.wouldAnswer(1, 2, message)).length === 1;
  };

  it('jolteon: a block needs a certificate as high as any that the timeouts tell of', () => {
    const [network, first, second] = ahead('jolteon');
    expect(isVoted(network, second, { 0: 2, 1: 2, 3: 0 })).toBe(true);
    expect(isVoted(network, first, { 0: 1, 1: 0, 3: 1 })).toBe(true);
    expect(isVoted(network, first, { 0: 1, 1: 2, 3: 1 })).toBe(false);
    expect(isVoted(network, null, { 0: 0, 1: 0, 3: 0 })).toBe(true);
    expect(isVoted(network, null, { 0: 0, 1: 0, 3: 1 })).toBe(false);
  });

  it('hotstuff-2: a block needs a certificate as high as the highest known, the lock', () => {
    const [network, first, second] = ahead('hotstuff-2');
    expect(network.state(2).locked).toMatchObject({ view: 2 });
    expect(isVoted(network, second, { 0: 0, 1: 0, 3: 0 })).toBe(true);
    expect(isVoted(network, first, { 0: 1, 1: 1, 3: 1 })).toBe(false);
  });

  it('chained: a block extends the lock, or has a certificate of a later view', () => {
    const [network, first, second] = ahead('chained');
    // The certificate of 2 shows that 1 has one: that is the lock.
    expect(network.state(2).locked).toEqual({ view: 1, block: hashOf(first.block) });
    expect(isVoted(network, second, { 0: 0, 1: 0, 3: 0 })).toBe(true);
    expect(isVoted(network, first, { 0: 0, 1: 0, 3: 0 })).toBe(true);
    expect(isVoted(network, null, { 0: 0, 1: 0, 3: 0 })).toBe(false);
  });
});

describe.each([
  ['jolteon', [1, 2], 1],
  ['jolteon', [1, 3], 0],
  ['jolteon', [1, 2, 3], 2],
  ['hotstuff-2', [1, 2], 1],
  ['hotstuff-2', [1, 3], 0],
  ['chained', [1, 2], 0],
  ['chained', [1, 2, 3], 1],
  ['chained', [1, 2, 5], 0],
  ['chained', [1, 4, 5], 0],
  ['chained', [1, 2, 3, 4], 2],
] as const)('%s: certified blocks of views %j', (rules, views, height) => {
  it(`commit ${height}`, () => {
    const network = make({ rules });
    const links = chainOf(network, ...views);
    const last = links.at(-1) as Link;
    network.inject(0, 3, newView(certified(network, last)));
    // All blocks come by their digests, so it does not matter how their views began.
    for (const link of [...links].reverse())
      network.inject(0, 3, { kind: 'blocks', blocks: [link] });
    expect(network.state(3).committed.height).toBe(height);
    expect([...network.seat(3).decisions.values()]).toEqual(
      links.slice(0, height).map(({ block }) => block.batch),
    );
    expect(network.violation).toBeUndefined();
  });
});

describe('a vote', () => {
  const first = (network: Network): Link => on(network, null, 1, batchOf(5));

  /** The leader of the next view has heard these votes of view 1. */
  function heard(...from: readonly number[]): [Network, string] {
    const network = make();
    const hash = hashOf(first(network).block);
    network.inject(0, 0, proposal(first(network)));
    for (const each of from) network.inject(each, 0, vote(1, hash, 0));
    network.drop();
    return [network, hash];
  }

  it('of a quorum makes a certificate, on which its leader proposes', () => {
    const [network, hash] = heard(0, 2);
    network.input(0, { type: 'propose', command: requestOf(6, 1) });
    const { writes, sends } = network.wouldAnswer(3, 0, vote(1, hash, 0));
    const high = certificate(network, vote(1, hash, 0), [0, 2, 3]);
    expect(writes.slice(0, 2)).toEqual([
      { type: 'save', registers: { high } },
      { type: 'save', registers: { lastProposed: 2 } },
    ]);
    expect(sends).toMatchObject([
      {
        to: 'all',
        message: { block: { set: 1, view: 2, height: 2, parent: hash }, justify: high },
      },
    ]);
  });

  it.each<[string, number, (hash: string) => Message]>([
    ['the same member', 2, (hash) => vote(1, hash, 0)],
    ['one for another block', 3, () => vote(1, strange('a'), 0)],
    ['one of another view', 3, (hash) => vote(2, hash, 0)],
    ['one that saw another certificate', 3, (hash) => vote(2, hash, 1)],
    ['one that contradicts itself', 3, (hash) => vote(1, hash, 1)],
  ])('is not counted twice or together: %s', (_, from, made) => {
    const [network, hash] = heard(0, 2);
    network.inject(from, 0, made(hash));
    expect(network.state(0).high).toBeNull();
    network.inject(1, 0, vote(1, hash, 0));
    expect(network.state(0).high?.body).toEqual(vote(1, hash, 0));
  });

  it('for two blocks in one view is proof against its sender', () => {
    const [network, hash] = heard(2);
    const { accusations } = network.wouldAnswer(2, 0, vote(1, strange('a'), 0));
    expect(accusations).toMatchObject([{ first: { block: hash }, second: { from: 2 } }]);
    expect(network.wouldAnswer(2, 0, vote(1, hash, 0)).accusations).toEqual([]);
  });

  it('is for the leader of the next view, and about views that are not certified', () => {
    const [network, hash] = heard();
    const kept = (self: number, message: Message): boolean => {
      network.inject(2, self, message);
      return network.state(self).votes.size > 0;
    };
    expect(kept(1, vote(1, hash, 0))).toBe(false);
    expect(kept(1, vote(3, hash, 3))).toBe(false);
    expect(kept(1, vote(3, hash, 0))).toBe(true);
    expect(kept(3, vote(11, hash, 0))).toBe(true);
    expect(kept(0, vote(3, hash, 0))).toBe(false);
    expect(kept(0, vote(15, hash, 0))).toBe(false);
    expect(network.state(0).dropped).toBe(1);
    network.inject(1, 0, newView(certified(network, first(network))));
    expect(kept(0, vote(1, hash, 0))).toBe(false);
    expect(kept(0, vote(2, hash, 1))).toBe(true);
  });
});

describe('a leader', () => {
  const propose = { type: 'propose', command: requestOf(6, 1) } as const;
  const proposals = ({ sends }: Output<HotStuff>) =>
    sends.flatMap(({ message }) => (message.kind === 'proposal' ? [message] : []));

  it('proposes what is asked for, once a view, and has it on the disk before', () => {
    const network = make();
    const answer = network.wouldDo(0, propose);
    const block = { set: 1, view: 1, height: 1, parent: genesisHash, batch: [propose.command] };
    expect(proposals(answer)).toEqual([proposal({ block, justify: null })]);
    expect(answer.writes).toEqual([
      { type: 'save', registers: { lastProposed: 1 } },
      {
        type: 'put',
        table: 'blocks',
        index: 1,
        row: { hash: hashOf(block), block, justify: null },
      },
    ]);
    network.input(0, propose);
    const more = { type: 'propose', command: requestOf(7, 1) } as const;
    expect(proposals(network.wouldDo(0, more))).toEqual([]);
    expect(proposals(network.wouldDo(1, propose))).toEqual([]);
    expect(network.wouldDo(1, propose).sends).toEqual([
      { to: 0, message: { kind: 'relay', requests: [propose.command] } },
    ]);
  });

  it('proposes nothing in a view that it has left, or voted in', () => {
    const network = make();
    for (const from of [2, 3])
      network.inject(from, 0, { kind: 'timeout', set: 1, view: 3, highView: 0 });
    expect(proposals(network.wouldDo(0, propose))).toEqual([]);
    const voted = make();
    voted.inject(0, 0, proposal(on(voted, null, 1)));
    expect(voted.state(0).lastVoted).toBe(1);
    expect(proposals(voted.wouldDo(0, propose))).toEqual([]);
  });

  it('proposes empty blocks only while requests wait to be committed', () => {
    const network = make();
    network.input(0, propose);
    network.deliver();
    expect(network.executed.size).toBe(1);
    const views = [...network.state(1).blocks.values()].map((row) => row?.block.batch.length);
    expect(views).toEqual([1, 0, 0]);
    expect(network.flights).toEqual([]);
  });

  it('of a view after timeouts waits for the highest certificate that they tell of', () => {
    const network = make();
    const first = on(network, null, 1);
    network.inject(0, 1, newView(null, timeouts(network, 3, { 0: 1, 2: 0, 3: 0 })));
    expect(network.state(1).view).toBe(4);
    network.drop();
    network.input(1, propose);
    expect(network.flights).toEqual([]);
    network.inject(0, 1, proposal(first));
    const told = network.wouldAnswer(0, 1, newView(certified(network, first)));
    expect(proposals(told)).toMatchObject([
      {
        block: { set: 1, view: 4, height: 2 },
        justify: { body: { view: 1 } },
        timeouts: [{}, {}, {}],
      },
    ]);
  });

  it('with the rules of hotstuff-2 waits after timeouts, as long as a message may take', () => {
    const network = make({ rules: 'hotstuff-2', delta: 1000 });
    const word = newView(null, timeouts(network, 3));
    expect(network.wouldAnswer(0, 1, word).timers).toContainEqual({
      type: 'set',
      timer: 'propose',
      after: 1000,
    });
    network.inject(0, 1, word);
    expect(proposals(network.wouldDo(1, propose))).toEqual([]);
    const waited = network.wouldDo(1, { type: 'timeout', timer: 'propose' });
    expect(proposals(waited)).toMatchObject([{ block: { set: 1, view: 4 } }]);
    expect(proposals(make().wouldAnswer(0, 1, word))).toHaveLength(1);
  });

  it('does not order what its branch holds already', () => {
    const network = make();
    network.input(0, propose);
    network.input(0, { type: 'propose', command: requestOf(7, 1) });
    network.deliver(({ message }) => message.kind !== 'proposal' || message.block.view < 3);
    const [, second] = [...network.state(1).blocks.values()];
    expect(second?.block.batch).toEqual([requestOf(7, 1)]);
  });
});
