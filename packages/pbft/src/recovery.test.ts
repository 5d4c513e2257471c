/** How a replica gets what it lacks, and how much it does for others: seen step by step. */
import type { Batch, Digest } from '@quorumlab/core';
import { requestOf } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { decide, make } from '../test/group.ts';
import {
  batchOf,
  certificate,
  checkpoint,
  claim,
  digestOf,
  newView,
  prePrepare,
  status,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import type { Network } from '../test/network.ts';
import type { Message } from './messages.ts';

const period = 500_000;
const batch = batchOf(1);
const digest = digestOf(batch);
const stableAt = (network: Network, sequence: number, state?: Digest): Message => ({
  kind: 'stable-checkpoint',
  configuration: null,
  checkpoint: certificate(network, checkpoint(sequence, state)),
});

describe('a report on where a replica stands is answered', () => {
  const answer = (network: Network, message: Message, from = 2): string[] =>
    network
      .wouldAnswer(from, 1, message)
      .sends.map(({ message: { kind, ...rest } }) =>
        'sequence' in rest ? `${kind} ${rest.sequence}` : kind,
      );

  it('once in half a period, or when its sender has used the last answer', () => {
    const network = make();
    decide(network, 1, 1);
    network.now = 1_000_000;
    expect(answer(network, status())).toEqual(['committed']);
    network.inject(2, 1, status());
    expect(answer(network, status())).toEqual([]);
    expect(answer(network, status({ executed: 31 }))).toEqual([]);
    expect(answer(network, status({ executed: 32 }))).toEqual(['status']);
    network.now += period / 2 - 1;
    expect(answer(network, status())).toEqual([]);
    network.now += 1;
    expect(answer(network, status())).toEqual(['committed']);
    // Another has its own.
    expect(answer(network, status(), 3)).toEqual(['committed']);
  });

  it('with the stable checkpoint, own checkpoints and decisions that are missing there', () => {
    const network = make({ checkpointEvery: 2, window: 4 });
    for (let i = 1; i <= 4; i++) decide(network, 1, i, batchOf(i));
    network.inject(2, 1, stableAt(network, 2, network.state(1).checkpoints.get(2)?.digest));
    decide(network, 1, 5, batchOf(5));
    expect(network.state(1)).toMatchObject({ lastExecuted: 5, checkpoints: new Map([[4, {}]]) });
    network.drop();
    expect(answer(network, status())).toEqual([
      'stable-checkpoint',
      'checkpoint 4',
      ...Array(3).fill('committed'),
    ]);
    expect(answer(network, status({ stable: 2, executed: 4 }))).toEqual([
      'checkpoint 4',
      'committed',
    ]);
    expect(answer(network, status({ stable: 4, executed: 5 }))).toEqual(['status']);
    expect(answer(network, status({ stable: 2, executed: 6 }))).toEqual(['checkpoint 4', 'status']);
  });

  it('with no more than 64 decisions', () => {
    const network = make({ checkpointEvery: 128 });
    for (let i = 1; i <= 66; i++) decide(network, 1, i);
    expect(answer(network, status()).length).toBe(64);
    expect(answer(network, status({ executed: 2 })).length).toBe(64);
    expect(answer(network, status({ executed: 3 })).length).toBe(63);
  });

  it('with its own votes about what is not decided, in the same view only', () => {
    const network = make();
    network.inject(0, 1, prePrepare(1, batch));
    network.inject(0, 1, prePrepare(2, batchOf(2)));
    for (const from of [1, 2]) network.inject(from, 1, vote('prepare', 2, digestOf(batchOf(2))));
    expect(answer(network, status())).toEqual(['prepare 1', 'prepare 2', 'commit 2']);
    expect(answer(network, status({ executed: 1 }))).toEqual(['prepare 2', 'commit 2', 'status']);
    expect(answer(network, status({ active: false }))).toEqual([]);
    expect(answer(network, status({ view: 1 }))).toEqual([]);
    network.input(0, { type: 'propose', command: requestOf(1, 1) });
    const primary = network.wouldAnswer(2, 0, status()).sends.map(({ message }) => message.kind);
    expect(primary).toEqual(['pre-prepare']);
  });

  it('with what began the view, to one that has not got there', () => {
    const network = make();
    for (const from of [2, 3]) network.inject(from, 1, viewChange(1));
    expect(answer(network, status())).toEqual(['view-change']);
    expect(answer(network, status({ view: 1, active: false }))).toEqual(['view-change']);
    expect(answer(network, status({ view: 2, active: false }))).toEqual([]);
    network.deliver(({ to }) => to === 1);
    expect(network.state(1)).toMatchObject({ view: 1, active: true });
    expect(answer(network, status())).toEqual(['view-change', 'new-view']);
    expect(answer(network, status({ view: 1, active: false }))).toEqual([
      'view-change',
      'new-view',
    ]);
    expect(answer(network, status({ view: 1 }))).toEqual([]);
  });
});

describe('batches and proofs are handed out', () => {
  const fetch = (sequence: number, of: Batch): Message => ({
    kind: 'fetch-batch',
    sequence,
    digest: digestOf(of),
  });

  it('to whoever asks for one that is here, logged, prepared, decided or nothing', () => {
    const network = make();
    network.inject(0, 1, prePrepare(1, batch));
    decide(network, 1, 2, batchOf(2));
    const given = (sequence: number, of: Batch): unknown =>
      network.wouldAnswer(3, 1, fetch(sequence, of)).sends;
    expect(given(1, batch)).toEqual([{ to: 3, message: { kind: 'batch', sequence: 1, batch } }]);
    expect(given(2, batchOf(2))).toHaveLength(1);
    expect(given(9, [])).toHaveLength(1);
    expect(given(1, batchOf(2))).toEqual([]);
    expect(given(2, batch)).toEqual([]);
  });

  it('up to a window of them between two reports', () => {
    const network = make({ checkpointEvery: 2, window: 2 });
    network.inject(0, 1, prePrepare(1, batch));
    const given = (): number => network.wouldAnswer(3, 1, fetch(1, batch)).sends.length;
    for (let i = 0; i < 2; i++) {
      expect(given()).toBe(1);
      network.inject(3, 1, fetch(1, batch));
    }
    expect(given()).toBe(0);
    network.now += period;
    network.inject(3, 1, status());
    expect(given()).toBe(1);
  });

  it('as far as they are here, the own ones and those that were shown', () => {
    const network = make({ checkpointEvery: 2, window: 2 });
    network.inject(0, 1, prePrepare(1, batch));
    for (const from of [1, 2]) network.inject(from, 1, vote('prepare', 1, digest));
    const ask = (...claims: ReturnType<typeof claim>[]): Message => ({
      kind: 'fetch-proofs',
      claims,
    });
    const given = (message: Message): readonly unknown[] =>
      network.wouldAnswer(3, 1, message).sends;
    const proof = certificate(network, vote('prepare', 1, digest), [1, 2]);
    expect(given(ask(claim(2, digest), claim(1, digest)))).toEqual([
      { to: 3, message: { kind: 'proofs', proofs: [proof] } },
    ]);
    for (const not of [claim(1, digest, 1), claim(1, strange('a')), claim(2, digest)])
      expect(given(ask(not))).toEqual([]);
    // Four windows of proofs, and the last answer in whole.
    for (let i = 0; i <= 8; i++) {
      expect(given(ask(claim(1, digest)))).toHaveLength(1);
      network.inject(3, 1, ask(claim(1, digest)));
    }
    expect(given(ask(claim(1, digest)))).toEqual([]);
  });
});

describe('a replica that lacks something', () => {
  const tick = { type: 'timeout', timer: 'status' } as const;
  const said = (network: Network, self = 1): string[] =>
    network.wouldDo(self, tick).sends.map(({ to, message }) => `${message.kind} ${to}`);

  it('asks for it when it is late, and never for what is not missing', () => {
    const network = make();
    expect(network.wouldDo(1, tick)).toMatchObject({ sends: [], timers: [] });
    network.input(1, { type: 'propose', command: requestOf(1, 1) });
    network.drop();
    network.now = period - 1;
    expect(said(network)).toEqual([]);
    expect(network.wouldDo(1, tick).timers).toEqual([
      { type: 'set', timer: 'status', after: period },
    ]);
    network.now = period;
    expect(said(network)).toEqual(['relay 0', 'status all']);
    // What was executed nobody asks about.
    decide(network, 1, 1, [requestOf(1, 1)]);
    expect(network.wouldDo(1, tick)).toMatchObject({ sends: [], timers: [] });
  });

  it('says again what it has said about batches under way', () => {
    const network = make();
    network.inject(0, 1, prePrepare(1, batch));
    network.inject(0, 1, prePrepare(2, batchOf(2)));
    for (const from of [1, 2]) network.inject(from, 1, vote('prepare', 2, digestOf(batchOf(2))));
    network.now = period;
    expect(said(network)).toEqual(['prepare all', 'prepare all', 'commit all', 'status all']);
    decide(network, 1, 2, batchOf(2));
    expect(said(network)).toEqual(['prepare all', 'status all']);
  });

  it('asks again for batches, and everybody for the new view', () => {
    const network = make();
    for (const from of [0, 2, 3]) network.inject(from, 1, vote('commit', 1, digest));
    network.now = period;
    expect(said(network)).toEqual(['fetch-batch all', 'status all']);
    for (const from of [0, 3]) network.inject(from, 1, viewChange(2));
    network.drop();
    network.now += period;
    expect(said(network)).toEqual(['view-change all', 'fetch-batch all', 'status all']);
  });

  it.each<[string, number, readonly number[]]>([
    ['one speaks of a number', 0, [2]],
    ['f+1 speak of it', 1, [2, 3]],
  ])('asks because %s: %i', (_, times, from) => {
    const network = make();
    for (const each of from) network.inject(each, 1, vote('commit', 1, digest));
    network.now = period;
    expect(said(network)).toHaveLength(times);
    // So it is with numbers above the window, and with later views.
    for (const other of [vote('commit', 30, digest), vote('commit', 1, digest, 3)]) {
      const far = make();
      for (const each of from) far.inject(each, 1, other);
      far.now = period;
      expect(said(far)).toHaveLength(times);
    }
  });

  it('asks for the state of a stable checkpoint of others, once, of all others', () => {
    const network = make();
    const { fetches, writes } = network.wouldAnswer(2, 1, stableAt(network, 4));
    expect(writes[0]).toMatchObject({ registers: { stableCheckpoint: { body: checkpoint(4) } } });
    expect(fetches).toEqual([{ slot: 3, digest: strange('c'), holders: [0, 2, 3] }]);
    network.inject(2, 1, stableAt(network, 4));
    expect(network.wouldDo(1, tick).fetches).toEqual([]);
    expect(network.wouldAnswer(2, 1, stableAt(network, 8)).fetches).toMatchObject([{ slot: 7 }]);
    // Batches that come are quicker, as long as they come.
    const other = make();
    decide(other, 1, 1);
    expect(other.wouldAnswer(2, 1, stableAt(other, 4)).fetches).toEqual([]);
    other.now += period;
    expect(other.wouldAnswer(2, 1, stableAt(other, 4)).fetches).toHaveLength(1);
  });

  it('goes on behind the state that has come, says so, and forgets who waited', () => {
    const network = make();
    network.input(1, { type: 'propose', command: requestOf(8, 1) });
    decide(network, 1, 3, batchOf(3));
    decide(network, 1, 5, batchOf(5));
    network.inject(2, 1, stableAt(network, 4));
    network.drop();
    const event = { type: 'snapshot-installed', slot: 3, digest: strange('c') } as const;
    const { decisions, sends, writes } = network.wouldDo(1, event);
    expect(decisions.map(({ slot }) => slot)).toEqual([4]);
    expect(writes[0]).toEqual({
      type: 'save',
      registers: { snapshot: 4, snapshotConfiguration: null },
    });
    expect(sends).toEqual([{ to: 'all', message: status({ stable: 4, executed: 5 }) }]);
    const machine = network.seat(1).machine.fork();
    machine.step({ now: 0, clock: { earliest: 0, latest: 0 }, event });
    const { waiting, committed, fetching } = machine.snapshot().volatile;
    expect([waiting.size, [...committed.keys()], fetching]).toEqual([0, [5], 0]);
    // What is behind what it has executed changes nothing.
    const behind = make();
    for (let i = 1; i <= 4; i++) decide(behind, 1, i, batchOf(i));
    expect(behind.wouldDo(1, event)).toMatchObject({ writes: [], sends: [], decisions: [] });
  });
});

describe('a replica that starts', () => {
  const started = (network: Network, self: number): string[] => {
    network.drop();
    network.stop(self);
    network.restart(self);
    return network.flights.filter(({ to }) => to === 3).map(({ message }) => message.kind);
  };

  it('has nothing to say if it has never run', () => {
    const network = make();
    expect(network.flights).toEqual([]);
    expect([...network.seat(1).timers.keys()]).toEqual(['idle']);
    expect(started(network, 1)).toEqual([]);
  });

  it('says again what it had said of its view and of its checkpoints', () => {
    const network = make({ checkpointEvery: 2, window: 4 });
    for (let i = 1; i <= 2; i++) decide(network, 1, i, batchOf(i));
    expect(started(network, 1)).toEqual(['checkpoint', 'status']);
    for (const from of [2, 3]) network.inject(from, 1, viewChange(2));
    expect(started(network, 1)).toEqual(['checkpoint', 'view-change', 'status']);
    network.inject(2, 1, newView(network, 2));
    expect(started(network, 1)).toEqual(['checkpoint', 'status']);
    expect(network.seat(1).timers.has('status')).toBe(true);
  });

  it('counts its own votes again, and waits for what is under way', () => {
    const network = make();
    network.inject(0, 1, prePrepare(1, batch));
    network.deliver(({ from, to }) => from === 1 && to === 1);
    started(network, 1);
    const toItself = network.flights
      .filter(({ to }) => to === 1)
      .map(({ message }) => message.kind);
    expect(toItself).toEqual(['prepare', 'status']);
    expect(network.seat(1).timers.has('request')).toBe(true);
    network.deliver(({ to }) => to === 1);
    network.inject(2, 1, vote('prepare', 1, digest));
    expect(network.state(1).prepared.size).toBe(1);
  });
});

describe('the timer that says where a replica stands', () => {
  it('tells f+1 others at a time, all in turn, and never itself', () => {
    const network = make();
    const told: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      network.drop();
      network.fire(1, 'idle');
      told.push(network.flights.map(({ to, message }) => [to, message.kind]));
      expect(network.seat(1).due('idle')).toBe(network.now + 2 * period);
    }
    const pair = (...to: number[]) => to.map((each) => [each, 'status']);
    expect(told).toEqual([pair(2, 3), pair(0, 2), pair(3, 0)]);
  });
});
