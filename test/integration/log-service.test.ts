import { firstClient, ms, range } from '@quorumlab/core';
import {
  type AnyShape,
  completeScenario,
  type Prepared,
  prepare,
  type Scenario,
  type ScenarioFault,
} from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { decisions, type Simulation, simulate } from '@quorumlab/sim';
import { describe, expect, test } from 'vitest';

/** Appends per run; every tenth is asked for by a replica's own client. */
const count = 60;

/** Who asks for append `i`: a pure client, or the client inside a replica. */
const askerOf = (i: number, { scenario: { n }, firstClientSeat }: Prepared): number =>
  i % 10 === 0 ? Math.floor(i / 10) % n : firstClientSeat + (i % 3);

/** The client in a replica forgets with its replica what it was asked for. */
const mayForget = (i: number, { faults }: Scenario): boolean => i % 10 === 0 && faults.length > 0;

interface Outcome {
  readonly answered: ReadonlySet<number>;
  readonly states: readonly string[];
  readonly messages: number;
}

/** Appends under `scenario`, then waits until all have answers and all replicas are alike. */
function run(scenario: Scenario): Outcome {
  const prepared = prepare(scenario);
  const answered = new Set<number>();
  let next = 0;
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    seats: prepared.seats,
    members: prepared.protocol.members,
    network: prepared.network,
    faults: prepared.faults,
    seed: scenario.seed,
    limits: { until: scenario.until },
    strict: true,
    inputs: {
      next() {
        if (next >= count) return undefined;
        const id = next++;
        const event = { type: 'submit', id, operation: kv.append('log', `${id};`) } as const;
        const at = ms(1) + id * ms(20);
        return { at, seat: askerOf(id, prepared), event: { ...event, readOnly: false } };
      },
      answered(_at, _seat, { id, error }) {
        expect(error).toBeUndefined();
        answered.add(id);
        return undefined;
      },
    },
  });
  const isDone = (): boolean =>
    range(count).every((i) => answered.has(i) || mayForget(i, scenario)) &&
    new Set(range(scenario.n).map((seat) => stateOf(simulation, seat))).size === 1;
  for (let at = ms(1500); at < scenario.until && !isDone(); at += ms(200)) simulation.runUntil(at);
  const states = range(scenario.n).map((seat) => stateOf(simulation, seat));
  return { answered, states, messages: simulation.counters.sent };
}

/** What the replica at `seat` holds, as text. */
function stateOf(simulation: Simulation<AnyShape>, seat: number): string {
  const { service } = simulation.seat(seat).machine?.snapshot().volatile ?? {};
  const bytes: unknown = service && Object.getOwnPropertyDescriptor(service, 'application')?.value;
  return bytes instanceof Uint8Array ? String.fromCharCode(...bytes) : `seat ${seat} is down`;
}

/** Somebody crashes now and then, and comes back. */
function crashes(n: number, seed: number): readonly ScenarioFault[] {
  const random = decisions({ seed: `crashes ${seed}` });
  return range(7).flatMap((i): ScenarioFault[] => {
    const node = random.below(n);
    const at = ms(180 * (i + 1));
    return [
      { type: 'crash', at, node },
      { type: 'restart', at: at + random.below(ms(170)), node },
    ];
  });
}

const groups = {
  raft: { n: 3, options: { snapshotEvery: 10, keepEntries: 3 } },
  zab: { n: 3, options: { snapshotEvery: 10, keepTransactions: 3 } },
  pbft: { n: 4, options: { checkpointEvery: 8 } },
} as const;

for (const [protocol, { n, options }] of Object.entries(groups))
  describe(`${protocol} under the log service, with snapshots`, () => {
    const base = { protocol, n, options, clients: 3, until: ms(120_000) };
    const worlds = {
      'on a good network': () => completeScenario(base),
      'with loss and repetition': () => completeScenario({ ...base, network: 'lossy' }),
      'with loss, repetition and crashes': (seed: number) =>
        completeScenario({ ...base, network: 'lossy', faults: crashes(n, seed) }),
    };
    for (const [name, world] of Object.entries(worlds))
      test(`${name}: each append runs once and all replicas are alike`, () => {
        for (const seed of range(6)) {
          const scenario = { ...world(seed), seed: `${seed}` };
          const place = `replay: seed ${seed} of ${protocol} ${name}`;
          const { answered, states } = run(scenario);
          expect(new Set(states).size, place).toBe(1);
          const [whole = ''] = states;
          for (const i of range(count)) {
            const found = whole.split(new RegExp(`(?<![0-9])${i};`)).length - 1;
            expect(found, `append ${i}, ${place}`).toBeLessThanOrEqual(1);
            if (!mayForget(i, scenario))
              expect(answered.has(i), `append ${i}, ${place}`).toBe(true);
            if (answered.has(i)) expect(found, `append ${i}, ${place}`).toBe(1);
          }
        }
      });
  });

test('the seats of clients are principals that replicas do not know as members', () => {
  const prepared = prepare(completeScenario({ protocol: 'raft' }));
  expect(prepared.seats[prepared.firstClientSeat]?.principal).toBe(firstClient);
});
