/**
 * Known mistakes of HotStuff implementations as schedules: the right rules survive each, the mutant
 * that has the mistake does not. Reigns last four views: replica 0 leads views 1 to 3, replica 1
 * leads 4 to 7, and so on. Heights start at 1, slots at 0.
 */
import type { Protocol, Request, Seal, Signed } from '@quorumlab/core';
import { seal } from '@quorumlab/core';
import { requestOf, testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { type Flight, Network } from '../test/network.ts';
import type { HotStuffOptions } from './group.ts';
import { hotstuff } from './index.ts';
import {
  type Block,
  codec,
  type Message,
  type QuorumCertificate,
  type Timeout,
  type Vote,
} from './messages.ts';
import { type Mutant, mutant, rulesOfMutant } from './mutants.ts';
import { genesisHash, type HotStuff } from './state.ts';

const { content } = codec({ n: 4, maxBatch: 256 });
const hashOf = (block: Block) => testDigest(content, block);
const a = requestOf(0, 0, 'a');
const b = requestOf(1, 0, 'b');

type Script = (network: Network) => void;

/** Runs `script` with the right rules and with the mutant. */
function compare(name: Mutant, script: Script, more: Partial<HotStuffOptions> = {}) {
  const options = { n: 4, f: 1, reign: 4, digest: testDigest, ...more };
  const run = (protocol: Protocol<HotStuff>): Network => {
    const network = new Network(protocol);
    script(network);
    return network;
  };
  const right = hotstuff({ ...options, rules: rulesOfMutant(name) });
  return { right: run(right), wrong: run(mutant(name, options)) };
}

function forks(name: Mutant, script: Script, more: Partial<HotStuffOptions> = {}): void {
  const { right, wrong } = compare(name, script, more);
  expect(right.violation).toBeUndefined();
  expect(wrong.violation).toMatch(/^slot \d: /);
}

const between =
  (...seats: number[]) =>
  ({ from, to }: Flight): boolean =>
    seats.includes(from) && seats.includes(to);

const propose = (network: Network, seats: readonly number[], command = b): void => {
  for (const self of seats) network.input(self, { type: 'propose', command });
};

/** Replica `self` lies from now on: its own machine stands still, the test speaks for it. */
function liar(network: Network, self: number): void {
  network.seat(self).treason = () => [];
  network.seat(self).up = false;
}

const say = (network: Network, from: number, to: readonly number[], message: Message): void => {
  for (const each of to) network.post(from, each, message);
};

/** Takes what was sent to `self` and is of `kind` off the network. */
function taken<K extends Message['kind']>(network: Network, self: number, kind: K) {
  const fits = ({ to, message }: Flight): boolean => to === self && message.kind === kind;
  const found = network.flights.filter(fits).map(({ message }) => message);
  network.drop(fits);
  return found as Signed<Extract<Message, { kind: K }>>[];
}

const sealsOf = (signed: readonly Seal[]): Seal[] =>
  [...signed]
    .sort((one, other) => one.from - other.from)
    .map(({ from, signature }) => ({ from, signature }));

/** The certificate of `vote` by what honest replicas sent to `self`, and by its own vote. */
function certified(network: Network, self: number, vote: Vote): QuorumCertificate | undefined {
  const quorum = 3;
  const votes = taken(network, self, 'vote').filter(
    ({ view, block }) => view === vote.view && block === vote.block,
  );
  const all = sealsOf([...votes, network.sign(vote, self)]);
  return all.length >= quorum ? { body: vote, seals: all } : undefined;
}

/** The liar `self` builds `chain` on `parent`, one block a view, and sends it to `seats`. */
function build(
  network: Network,
  self: number,
  seats: readonly number[],
  from: {
    readonly view: number;
    readonly height: number;
    readonly justify: QuorumCertificate | null;
    readonly timeouts: readonly Signed<Timeout>[] | null;
    readonly blocks: number;
    readonly last?: readonly number[];
    readonly first?: Signed<Request>;
  },
): QuorumCertificate | null {
  let { view, height, justify } = from;
  for (let i = 0; i < from.blocks; i++, view++, height++) {
    const parent = justify?.body.block ?? genesisHash;
    const block: Block = { view, height, parent, batch: i === 0 ? [from.first ?? b] : [] };
    const timeouts = i === 0 ? from.timeouts : null;
    const hearers = i === from.blocks - 1 ? (from.last ?? seats) : seats;
    say(network, self, hearers, { kind: 'proposal', block, justify, timeouts });
    network.deliver(({ to, message }) => hearers.includes(to) && message.kind === 'proposal');
    const justifyView = justify?.body.view ?? 0;
    const vote: Vote = { kind: 'vote', view, block: hashOf(block), justifyView };
    const next = certified(network, self, vote);
    if (next === undefined) return null;
    justify = next;
  }
  return justify;
}

/** `self` gives up the leader that it has. */
function leaves(network: Network, self: number): void {
  const before = network.state(self).lastTimeout?.view ?? 0;
  for (let i = 0; i < 20 && (network.state(self).lastTimeout?.view ?? 0) === before; i++) {
    network.now += 1e9;
    network.fire(self, 'pacemaker');
  }
}

/**
 * `seats` give up the reign; the liar takes their timeouts, and adds its own, which knows nothing.
 */
function giveUp(network: Network, seats: readonly number[], self: number): Signed<Timeout>[] {
  for (const each of seats) leaves(network, each);
  const timeouts = taken(network, self, 'timeout');
  network.drop();
  const { view } = timeouts[0] as Timeout;
  timeouts.push(network.sign<Timeout>({ kind: 'timeout', view, highView: 0 }, self));
  return timeouts.sort((one, other) => one.from - other.from);
}

/** Nothing else gets through until `seats` and the liar have left every view before `view`. */
function skipTo(network: Network, view: number, seats: readonly number[], self: number) {
  for (;;) {
    for (const each of seats) leaves(network, each);
    const timeouts = taken(network, self, 'timeout');
    const left = timeouts[0]?.view ?? 0;
    const own: Timeout = { kind: 'timeout', view: left, highView: 0 };
    if (left === view - 1) {
      network.drop();
      return [...timeouts, network.sign(own, self)].sort((one, other) => one.from - other.from);
    }
    say(network, self, seats, own);
    const kinds = ['timeout', 'new-view'];
    network.deliver(
      ({ from, to, message }) =>
        kinds.includes(message.kind) &&
        seats.includes(to) &&
        (seats.includes(from) || from === self),
    );
    network.drop();
  }
}

/**
 * Replica 0 orders `a` at height 1, three blocks in a row; replica 0 alone hears enough to commit.
 * Then replica 1, a liar, leads and starts again from the genesis block with `b`.
 */
const overtaken =
  (blocks: number): Script =>
  (network) => {
    liar(network, 1);
    propose(network, [0, 2, 3], a);
    const first = between(0, 2, 3);
    for (let view = 1; view < blocks; view++) {
      network.deliver((flight) => first(flight) && viewOf(flight.message) === view);
    }
    // The last proposal reaches its leader only: it carries the certificate that commits `a`.
    network.deliver((flight) => flight.from === 0 && flight.to === 0);
    network.drop();
    expect(network.seat(0).applied).toBeGreaterThanOrEqual(1);
    propose(network, [2, 3], b);
    const timeouts = giveUp(network, [2, 3], 1);
    build(network, 1, [2, 3], { view: 4, height: 1, justify: null, timeouts, blocks: 4 });
  };

const viewOf = (message: Message): number =>
  message.kind === 'proposal' ? message.block.view : message.kind === 'vote' ? message.view : -1;

/** Lets replica 0 order `a` in views 1 to `last`, heard by replicas 0, 2 and 3. */
function lead(network: Network, last: number): void {
  liar(network, 1);
  propose(network, [0, 2, 3], a);
  for (let view = 1; view <= last; view++)
    network.deliver((flight) => between(0, 2, 3)(flight) && viewOf(flight.message) === view);
}

/** Replica 1, a liar, takes turns with a silent network: certificates with views between them. */
const gaps: Script = (network) => {
  lead(network, 2);
  const justify = taken(network, 1, 'proposal').at(-1)?.justify ?? null;
  expect(justify?.body.view).toBe(2);
  network.drop();
  propose(network, [2, 3], b);
  const first = giveUp(network, [2, 3], 1);
  const other = build(network, 1, [2, 3], {
    ...{ view: 4, height: 1, justify: null, timeouts: first, blocks: 2 },
  });
  expect(other?.body.view).toBe(5);
  const second = skipTo(network, 20, [2, 3], 1);
  build(network, 1, [0, 2, 3], {
    ...{ view: 20, height: 3, justify, timeouts: second, blocks: 2, last: [0] },
  });
  network.drop();
  const third = skipTo(network, 36, [2, 3], 1);
  build(network, 1, [2, 3], {
    ...{ view: 36, height: 3, justify: other, timeouts: third, blocks: 4 },
  });
};

describe('mistakes that break agreement', () => {
  it('B-23: votes for whatever has a certificate', () =>
    forks('no-lock', (network) => {
      lead(network, 3);
      const votes = network.flights.filter(
        ({ to, message }) => to === 1 && message.kind === 'vote',
      );
      const { message } = votes.at(-1) as Flight;
      const { view, block, justifyView } = message as Signed<Vote>;
      expect(view).toBe(3);
      const body: Vote = { kind: 'vote', view, block, justifyView };
      const justify = certified(network, 1, body) as QuorumCertificate;
      // Replica 0 alone learns that the third block is certified, and commits the first.
      say(network, 1, [0], { kind: 'new-view', justify, timeouts: null });
      network.deliver(({ from, to }) => from === 1 && to === 0);
      network.drop();
      expect(network.seat(0).applied).toBe(1);
      propose(network, [2, 3], b);
      const timeouts = giveUp(network, [2, 3], 1);
      build(network, 1, [2, 3], { view: 4, height: 1, justify: null, timeouts, blocks: 4 });
    }));

  it('B-25: a two-chain commits and the lock is one block too old', () =>
    forks('two-chain-old-lock', overtaken(3)));

  it('B-26: three certificates commit although views lie between them', () =>
    forks('non-consecutive-commit', gaps));

  it('C2: the commit rule looks at heights, and no dummy blocks fill the gaps', () =>
    forks('no-dummy-blocks', gaps));

  it('B-28: a timeout certificate excuses an old certificate', () =>
    forks('tc-without-highqc-check', overtaken(3)));

  it('B-29: replica 2 forgets in a crash that it has voted', () =>
    forks('vote-amnesia', (network) => {
      liar(network, 0);
      // It breaks its word without knowing it; what counts here is what comes of it.
      network.seat(2).treason = (flight) => [flight];
      const restart = (): void => {
        network.stop(2);
        network.restart(2);
        // It gets back what another block of the same view has overwritten.
        network.deliver(
          ({ from, to, message }) => from > 0 && to > 0 && message.kind.endsWith('blocks'),
        );
        network.drop();
      };
      const one = { view: 1, height: 1, justify: null, timeouts: null, blocks: 1 };
      const left = build(network, 0, [1, 2], { ...one, first: a });
      restart();
      const right = build(network, 0, [2, 3], { ...one, first: b });
      if (left === null || right === null) return;
      const two = { view: 2, height: 2, timeouts: null, blocks: 2 };
      build(network, 0, [1, 2], { ...two, justify: left, last: [1] });
      restart();
      build(network, 0, [2, 3], { ...two, justify: right, last: [3] });
    }));

  it('B-30: one liar signs three times', () =>
    forks('duplicate-signers', (network) => {
      liar(network, 0);
      for (const [self, request] of [
        [1, a],
        [2, b],
      ] as const) {
        let justify: QuorumCertificate | null = null;
        for (const view of [1, 2, 3]) {
          const parent: string = justify?.body.block ?? genesisHash;
          const block: Block = { view, height: view, parent, batch: view === 1 ? [request] : [] };
          const body: Message = { kind: 'proposal', block, justify, timeouts: null };
          // No encoding has room for a signer twice, so this goes past the wire.
          const message = seal(body, 0, network.sign({ ...body, justify: null }, 0).signature);
          network.input(self, { type: 'message', message });
          const vote: Vote = { kind: 'vote', view, block: hashOf(block), justifyView: view - 1 };
          const { signature } = network.sign(vote, 0);
          justify = { body: vote, seals: [0, 0, 0].map((from) => ({ from, signature })) };
        }
      }
    }));

  it('B-34: a replica that catches up executes the newest block first', () =>
    forks(
      'flush-order',
      (network) => {
        for (const request of [a, b]) {
          propose(network, [0], request);
          network.deliver(between(0, 1, 2));
          network.drop();
        }
        propose(network, [0], requestOf(2, 0, 'c'));
        network.run(60_000_000);
        expect(network.seat(3).applied).toBeGreaterThan(3);
      },
      { reign: 64 },
    ));
});

/** What was executed by honest replicas in the end, with the right rules and with the mutant. */
function executes(name: Mutant, script: Script, more: Partial<HotStuffOptions> = {}): void {
  const { right, wrong } = compare(name, script, more);
  expect(right.violation).toBeUndefined();
  expect(wrong.violation).toBeUndefined();
  expect(right.executed.size).toBeGreaterThan(0);
  expect(wrong.executed.size).toBe(0);
}

describe('mistakes that stop progress', () => {
  it('B-24: a leader that may have missed a certificate does not wait', () =>
    executes(
      'two-phase-livelock',
      (network) => {
        for (const self of [0, 6]) liar(network, self);
        const honest = [1, 2, 3, 4, 5];
        propose(network, honest, a);
        // The first leader shows its certificate to replica 3 alone, which locks on it.
        const block: Block = { view: 1, height: 1, parent: genesisHash, batch: [b] };
        const proposal = { kind: 'proposal', block, justify: null, timeouts: null } as const;
        say(network, 0, honest, proposal);
        network.deliver(({ message }) => message.kind === 'proposal');
        const vote: Vote = { kind: 'vote', view: 1, block: hashOf(block), justifyView: 0 };
        const heard = taken(network, 0, 'vote').filter(({ from }) => from <= 3);
        const votes = [...heard, network.sign(vote, 0), network.sign(vote, 6)];
        const justify = { body: vote, seals: sealsOf(votes) };
        say(network, 0, [3], { kind: 'new-view', justify, timeouts: null });
        network.deliver(({ message }) => message.kind === 'new-view');
        network.drop();
        // A quorum leaves; what replica 3 says comes last, though soon enough.
        for (const self of honest) leaves(network, self);
        say(network, 6, [1], { kind: 'timeout', view: 3, highView: 0 });
        network.deliver(({ from, to }) => from !== 3 && to === 1);
        network.deliver();
        if (network.seat(1).timers.has('propose')) network.fire(1, 'propose');
        network.deliver();
      },
      { n: 7, f: 2 },
    ));

  it('B-27: another leader in every view, and one of four has crashed', () =>
    executes('rotation-n4', (network) => {
      network.stop(1);
      propose(network, [0, 2, 3], a);
      // Timeouts double where nothing is committed: this is about a dozen of them.
      network.run(1e10, () => network.executed.size > 0);
    }));

  it('B-32: a liar names a view a thousand ahead', () =>
    executes('view-inflation', (network) => {
      liar(network, 3);
      const block: Block = { view: 1004, height: 1, parent: genesisHash, batch: [] };
      say(network, 3, [0, 1], { kind: 'proposal', block, justify: null, timeouts: null });
      network.deliver();
      propose(network, [0, 1, 2], a);
      network.run(1e9, () => network.executed.size > 0);
    }));

  it('B-33: what was proposed is forgotten, and its block is lost', () =>
    executes('forgets-proposed', (network) => {
      propose(network, [0], a);
      network.deliver(({ message }) => message.kind === 'proposal');
      network.drop();
      network.stop(0);
      propose(network, [1, 2, 3], a);
      network.run(1e9, () => network.executed.size > 0);
    }));
});
