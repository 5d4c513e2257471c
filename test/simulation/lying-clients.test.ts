/**
 * Clients lie, in worlds drawn from seeds: they sign two requests with one sequence, ask again for
 * what ran long ago, ask for more than anybody, or use a sequence again for something else. All
 * honest replicas run the same, each request runs once, and the other clients get on as they would.
 */
import {
  firstClient,
  idle,
  type Machine,
  ms,
  type Outgoing,
  type PrincipalId,
  type Request,
  range,
  type Snapshot,
} from '@quorumlab/core';
import { type AnyShape, completeScenario, prepare } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { decisions, type ScheduledInput, simulate } from '@quorumlab/sim';
import { beforeAll, describe, expect, test } from 'vitest';

const n = 4;
const honest = 3;
const liars = 2;
const lasts = ms(1000);
const seeds = 3;

/** What a liar says in its turn `i`: to each replica what it is to hear. */
type Lie = (i: number, ask: Ask) => readonly Outgoing<AnyShape>[];
type Ask = (sequence: number, text: string) => Request;

const toAll = (message: Request): readonly Outgoing<AnyShape>[] =>
  range(n).map((to) => ({ to, message: message as AnyShape['Message'] }));

const lies: Readonly<Record<string, Lie>> = {
  'two requests under one sequence': (i, ask) =>
    range(n).map((to) => ({
      to,
      message: ask(i, to % 2 === 0 ? 'one' : 'other') as AnyShape['Message'],
    })),
  'again what ran long ago': (i, ask) => toAll(ask(i % 8, 'again')),
  'more than anybody': (i, ask) =>
    range(16).flatMap((more) => toAll(ask(16 * i + more, 'x'.repeat(1000)))),
  'something else under a used sequence': (i, ask) => toAll(ask(i % 8, `change ${i}`)),
};

/** A client that says, every `every` microseconds, whatever `lie` tells it. */
function liar(self: PrincipalId, lie: Lie, every: number): Machine<AnyShape> {
  let turn = 0;
  const ask: Ask = (sequence, text) => ({
    kind: 'request',
    client: self,
    sequence,
    acknowledged: Math.max(0, sequence - 512),
    operations: [kv.put(`of ${self}`, text)],
  });
  const machine: Machine<AnyShape> = {
    self,
    step({ event }) {
      if (event.type !== 'start' && event.type !== 'timeout') return idle();
      const sends = lie(turn++, ask);
      return { ...idle(), sends, timers: [{ type: 'set', timer: 'service/client', after: every }] };
    },
    // Nobody looks into a client here, nor sets it back.
    snapshot: () => ({ stable: {}, volatile: {} }) as unknown as Snapshot<AnyShape>,
    restore: () => undefined,
    fork: () => liar(self, lie, every),
    status: () => ({ term: 0, role: 'client' }),
  };
  return machine;
}

interface World {
  readonly protocol: string;
  readonly network: string;
  readonly seed: number;
  readonly lies: readonly Lie[];
  readonly every: number;
}

/** How many requests of honest clients were answered, and what honest replicas ran. */
function played({ protocol: name, network, seed, lies: told, every }: World) {
  const clients = honest + liars;
  const base = { protocol: name, n, f: 1, clients, until: lasts, seed: `${seed}` };
  const prepared = prepare(completeScenario({ ...base, network }));
  const ran = range(n).map(() => new Map<string, string>());
  const repeated: string[] = [];
  let answered = 0;
  let next = 0;
  const first = prepared.firstClientSeat;
  const request = (seat: number, at: number): ScheduledInput<AnyShape> => {
    const id = next++;
    const operation = kv.append(`client ${seat}`, `${id};`);
    return { at, seat, event: { type: 'submit', id, operation, readOnly: false } };
  };
  const starts = range(2 * honest).map((i) => request(first + (i % honest), ms(1)));
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    evidence: prepared.group.evidence,
    seats: prepared.seats.map((seat, i) => {
      const lie = told[i - first - honest];
      if (lie === undefined) return seat;
      return { ...seat, make: () => liar(firstClient + (i - first), lie, every) };
    }),
    members: prepared.protocol.members,
    network: prepared.network,
    seed: `${seed}`,
    limits: { until: lasts },
    inputs: {
      next: () => starts.shift(),
      answered(at, seat, { result }) {
        if (result === undefined) return undefined;
        answered++;
        return request(seat, at);
      },
    },
    watcher: {
      stepped(_at, from, output) {
        const own = ran[from];
        if (own === undefined) return;
        for (const { fresh, client, sequence, slot, state } of output.applied) {
          if (!fresh) continue;
          const key = `${client}/${sequence}`;
          if (own.has(key)) repeated.push(`n${from} ran ${key} twice`);
          own.set(key, `slot ${slot}, state ${state}`);
        }
      },
    },
  });
  simulation.runUntil(lasts);
  const apart: string[] = [];
  for (const one of ran)
    for (const other of ran)
      for (const [key, how] of one)
        if ((other.get(key) ?? how) !== how) apart.push(`${key}: ${how}, and ${other.get(key)}`);
  return { answered, repeated, apart, ofLiars: countOf(ran[0]), stopped: reasonsOf(simulation) };
}

const countOf = (ran: ReadonlyMap<string, string> | undefined): number =>
  [...(ran?.keys() ?? [])].filter((key) => Number.parseInt(key, 10) >= firstClient + honest).length;

const reasonsOf = (simulation: { seat(id: number): { reason?: string | undefined } }): string[] =>
  range(n).flatMap((id) => simulation.seat(id).reason ?? []);

/** Nobody lies. */
const silent: Lie = () => [];

function worldOf(protocol: string, seed: number): Omit<World, 'lies'> {
  const random = decisions({ seed: `lying clients ${protocol} ${seed}` });
  const network = ['lan', 'lossy', 'wan'][random.below(3)] ?? 'lan';
  return { protocol, network, seed, every: ms(2 + random.below(10)) };
}

describe.each(['pbft', 'hotstuff', 'tendermint', 'streamlet'])('%s, clients lie', (protocol) => {
  const worlds = range(seeds).map((i) => worldOf(protocol, i + 1));
  // The same for every lie.
  let before = 0;
  beforeAll(() => {
    for (const world of worlds) before += played({ ...world, lies: [silent, silent] }).answered;
  });
  test.each(Object.entries(lies))('%s: others keep four fifths of what they had', (_name, lie) => {
    let after = 0;
    let fromLiars = 0;
    for (const world of worlds) {
      const { answered, repeated, apart, ofLiars, stopped } = played({
        ...world,
        lies: [lie, lie],
      });
      expect([...repeated, ...apart, ...stopped], `seed ${world.seed}`).toEqual([]);
      after += answered;
      fromLiars += ofLiars;
    }
    expect(fromLiars).toBeGreaterThan(0);
    expect(after).toBeGreaterThanOrEqual(0.8 * before);
  });
});
