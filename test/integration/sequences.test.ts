/**
 * Whoever asks is told what came of his own request and of no other, however his sequences came to
 * be: after a restart with a clock that went back, as a copy of another process, or as a liar.
 */
import { agreement, execution, liveness, observers } from '@quorumlab/checker';
import {
  type Answer,
  firstClient,
  idle,
  type Machine,
  ms,
  type Output,
  type Request,
  range,
  type Signed,
} from '@quorumlab/core';
import { type AnyShape, completeScenario, prepare, protocols } from '@quorumlab/harness';
import { client, kv, type RefusalMessage, type Reply } from '@quorumlab/log';
import { type Fault, type Seat, simulate } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';

/** When a group has a leader for sure. */
const settled = ms(2000);

interface Wish {
  readonly at: number;
  readonly id: number;
  readonly operation: Uint8Array;
}

interface Plan {
  readonly protocol: string;
  readonly seed?: string;
  /** The machine of the client's seat. Absent: the client inside replica 1 is asked. */
  readonly make?: (members: readonly number[]) => Machine<AnyShape>;
  readonly wishes: readonly Wish[];
  readonly faults?: (seat: number) => readonly Fault[];
  readonly network?: string;
  readonly until?: number;
  /** A liar's requests are none that an honest client asked for. */
  readonly isLiar?: boolean;
}

interface Seen {
  readonly answers: ReadonlyMap<number, Answer>;
  /** What the first replica ran, as texts. */
  readonly ran: readonly string[];
  readonly matching: number;
  readonly why: string;
}

/** One client beside an honest group of the smallest size for f = 1. */
function watch(plan: Plan): Seen {
  const { protocol: name, seed = '1', make, wishes, faults, network = 'lan', isLiar } = plan;
  const { until = ms(20_000) } = plan;
  const scenario = completeScenario({ protocol: name, network, clients: 1, seed });
  const prepared = prepare(scenario);
  const { protocol } = prepared;
  const seat = make === undefined ? 1 : prepared.firstClientSeat;
  const answers = new Map<number, Answer>();
  const ran: string[] = [];
  const waiting = [...wishes];
  const check = observers(agreement(), execution(), liveness(ms(6000)));
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    seats: prepared.seats.map(
      (each, i): Seat<AnyShape> =>
        i === seat && make ? { ...each, make: () => make(protocol.members) } : each,
    ),
    members: protocol.members,
    network: prepared.network,
    faults: faults?.(seat) ?? [],
    seed,
    limits: { until },
    strict: true,
    ...(isLiar ? {} : { observer: check }),
    inputs: {
      next() {
        const wish = waiting.shift();
        if (wish === undefined) return undefined;
        const { at, id, operation } = wish;
        return { at, seat, event: { type: 'submit', id, operation, readOnly: false } };
      },
      answered: (_at, _seat, answer) => void answers.set(answer.id, answer),
    },
    watcher: {
      stepped(_at, from, { applied }) {
        if (from !== 0) return;
        for (const { fresh, operations } of applied)
          if (fresh) for (const each of operations) ran.push(new TextDecoder().decode(each));
      },
    },
  });
  const { violation } = simulation.run();
  const why = `${name}, seed ${seed}: ${violation?.sentence ?? 'no violation'}`;
  expect(violation, why).toBeUndefined();
  return { answers, ran, matching: protocol.client.matching, why };
}

const logs = protocols.filter(({ create, claims }) => {
  const { length } = create({ n: claims.replicas(1), f: 1 });
  return length === undefined;
});
const asAny = (machine: unknown): Machine<AnyShape> => machine as Machine<AnyShape>;
const policyOf = (name: string) =>
  prepare(completeScenario({ protocol: name, clients: 1, seed: '1' })).protocol.client;
const append = kv.append('log', 'x');

describe.each(logs.map(({ name }) => name))('a client of %s that starts again', (protocol) => {
  const policy = policyOf(protocol);
  const lives = 4;
  const life = ms(6000);
  // Every life asks for the very same, twice, and ends before everything has been answered.
  const wishes = range(lives).flatMap((i) => [
    { at: settled + i * life, id: 2 * i, operation: append },
    { at: settled + i * life + ms(4900), id: 2 * i + 1, operation: append },
  ]);
  const faults = (seat: number): Fault[] =>
    range(lives - 1).flatMap((i): Fault[] => {
      const at = settled + i * life + ms(4901);
      return [
        { type: 'crash', at, seat },
        { type: 'skew', at: at + 1, seat, by: -1e15 },
        { type: 'restart', at: at + ms(1), seat },
      ];
    });

  test('with a clock that went back has all run that it was told had run', () => {
    for (const seed of range(8).map(String)) {
      const seen = watch({
        protocol,
        seed,
        network: 'lossy',
        until: settled + lives * life + ms(8000),
        make: (members) => asAny(client(policy, members, firstClient)),
        wishes,
        faults,
      });
      const stored = [...seen.answers.values()].filter(({ result }) => result !== undefined);
      // The last words of a life that ended may have been heard and may not.
      expect(stored.length, seen.why).toBeGreaterThanOrEqual(lives + 1);
      expect(stored.length, seen.why).toBeLessThanOrEqual(seen.ran.length);
      expect(seen.ran.length, seen.why).toBeLessThanOrEqual(2 * lives);
      for (const { error } of seen.answers.values()) expect(error, seen.why).toBeUndefined();
    }
  });
});

describe.each(logs.map(({ name }) => name))('a replica of %s whose disk is lost', (protocol) => {
  test('runs all that is asked of its own client before and after', () => {
    for (const seed of range(4).map(String)) {
      const lost = (at: number, seat: number): Fault[] => [
        { type: 'crash', at, seat },
        { type: 'skew', at: at + 1, seat, by: -1e15 },
        { type: 'restart', at: at + ms(1), seat, disk: 'lost' },
      ];
      const seen = watch({
        protocol,
        seed,
        until: ms(30_000),
        wishes: range(3).map((id) => ({ at: settled + id * ms(8000), id, operation: append })),
        faults: (seat) => [1, 2].flatMap((i) => lost(i * ms(8000), seat)),
      });
      expect(seen.ran, seen.why).toHaveLength(3);
      for (const id of range(3)) expect(seen.answers.get(id), seen.why).toHaveProperty('result');
    }
  });
});

/**
 * Several machines under one name that know nothing of each other: copies, which begin with the
 * same sequences, or `lives` with a start of their own. Operation i is asked of machine i.
 */
function several(
  count: number,
  members: readonly number[],
  protocol: string,
  lives: boolean,
): Machine<AnyShape> {
  type Input = Parameters<Machine<AnyShape>['step']>[0];
  const all = range(count).map(() => asAny(client(policyOf(protocol), members, firstClient)));
  const step = (i: number, input: Input): Output<AnyShape> => {
    const { event } = input;
    const begins = lives && event.type === 'start';
    return (all[i] as Machine<AnyShape>).step(
      begins ? { ...input, event: { type: 'start', incarnation: i + 1 } } : input,
    );
  };
  return {
    ...(all[0] as Machine<AnyShape>),
    step(input) {
      const { event } = input;
      if (event.type === 'submit') return step(event.id % count, input);
      const outputs = range(count).map((i) => step(i, input));
      return {
        ...idle<AnyShape>(),
        sends: outputs.flatMap(({ sends }) => sends),
        timers: outputs.flatMap(({ timers }) => timers),
        answers: outputs.flatMap(({ answers }) => answers),
      };
    },
  };
}

describe.each(logs.map(({ name }) => name))('a client of %s at work in', (protocol) => {
  test('two processes at a time has all run, and neither hears of the other', () => {
    for (const seed of range(6).map(String)) {
      const wishes = range(8).map((id) => {
        const at = settled + Math.floor(id / 2) * ms(100) * Number(seed);
        return { at, id, operation: kv.append('log', 'x') };
      });
      const make = (members: readonly number[]) => several(2, members, protocol, true);
      const { answers, ran, why } = watch({ protocol, seed, make, wishes, isLiar: true });
      expect(ran, why).toHaveLength(8);
      for (const { id } of wishes) expect(answers.get(id), why).toHaveProperty('result');
    }
  });

  test('more processes than there are sessions is told what nobody knows any more', () => {
    const wishes = range(40).map((id) => ({
      at: settled + (id < 20 ? 0 : ms(6000)),
      id,
      operation: kv.append('log', `<${id}>`),
    }));
    const make = (members: readonly number[]) => several(20, members, protocol, true);
    const { answers, ran, why } = watch({ protocol, make, wishes, isLiar: true });
    expect(answers.size, why).toBe(wishes.length);
    expect(
      [...answers.values()].some(({ result }) => result === undefined),
      why,
    ).toBe(true);
    for (const { id } of wishes) {
      const times = ran.filter((each) => each.includes(`<${id}>`));
      const answer = answers.get(id);
      if (answer?.result !== undefined) expect(times, why).toHaveLength(1);
      else expect(answer, why).toMatchObject({ forgotten: 'session-expired' });
    }
  });
});

describe.each(protocols.map(({ name }) => name))('two copies of a client of %s', (protocol) => {
  test('under one sequence are never given each other’s answer', () => {
    for (const seed of range(10).map(String)) {
      const wishes = [
        { at: settled, id: 0, operation: kv.put('a', 'first') },
        // Together with the other, or after it has run.
        { at: settled + (Number(seed) % 2) * ms(3000), id: 1, operation: kv.put('a', 'second') },
      ];
      const make = (members: readonly number[]) => several(2, members, protocol, false);
      const { answers, ran, why } = watch({ protocol, seed, make, wishes, isLiar: true });
      expect(ran, why).toHaveLength(1);
      const won = ran[0]?.includes('first') ? 0 : 1;
      expect(answers.get(won), why).toHaveProperty('result');
      expect(answers.get(1 - won), why).toMatchObject({ refused: 'sequence-reused' });
    }
  });
});

type Heard = Signed<Reply | RefusalMessage>;

/** Says requests that are written by hand, to all, and writes down what it hears. */
function outspoken(members: readonly number[], heard: Heard[]): Machine<AnyShape> {
  const silent = asAny(client({ matching: 1, ask: 'any', signed: false }, members, firstClient));
  return {
    ...silent,
    step({ event }) {
      if (event.type === 'message') heard.push(event.message as unknown as Heard);
      if (event.type !== 'submit') return idle();
      const request: Request = {
        kind: 'request',
        client: firstClient,
        sequence: event.id,
        acknowledged: event.id,
        operations: [event.operation],
      };
      return {
        ...idle<AnyShape>(),
        sends: members.map((to) => ({ to, message: request as unknown as AnyShape['Message'] })),
      };
    },
  };
}

describe.each(logs.map(({ name }) => name))('a client of %s that lies', (protocol) => {
  test('is told at once that a sequence is used, or too old; and nothing runs', () => {
    const heard: Heard[] = [];
    const a = kv.append('log', 'a');
    const b = kv.append('log', 'b');
    const { ran, matching } = watch({
      protocol,
      isLiar: true,
      make: (members) => outspoken(members, heard),
      wishes: [
        { at: settled, id: 5, operation: a },
        { at: settled, id: 5, operation: b },
        { at: settled + ms(3000), id: 5, operation: a },
        { at: settled + ms(6000), id: 5, operation: b },
        { at: settled + ms(9000), id: 4, operation: a },
      ],
    });
    expect(ran).toHaveLength(1);
    const said = (reason: string): number =>
      new Set(heard.flatMap((m) => (m.kind === 'refusal' && m.reason === reason ? m.from : [])))
        .size;
    expect(said('sequence-reused')).toBeGreaterThanOrEqual(matching);
    expect(said('too-old')).toBeGreaterThanOrEqual(matching);
    // Nobody was told that the other one has run.
    const told = heard.flatMap((m) => (m.kind === 'reply' ? m.hash : []));
    expect(new Set(told).size).toBe(1);
  });
});
