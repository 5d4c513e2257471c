import { type Answer, ms, range, type Submit } from '@quorumlab/core';
import { encodeQuorumChange, type Quorums, quorumText } from '@quorumlab/flexible-paxos';
import { type AnyShape, completeScenario, prepare } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { encodeChange } from '@quorumlab/multi-paxos';
import { simulate } from '@quorumlab/sim';
import { expect, test } from 'vitest';

const members = range(5);
const small: Quorums = { kind: 'simple', q1: 4, q2: 2 };

/** A group of five with majorities, and one client that is told what to ask next. */
function world(seed: string) {
  const prepared = prepare(
    completeScenario({ protocol: 'flexible-paxos', n: 5, f: 2, clients: 1, seed }),
  );
  const seat = prepared.firstClientSeat;
  const answers = new Map<number, Answer>();
  const simulation = simulate<AnyShape>({
    messages: prepared.messages,
    keyring: prepared.keyring,
    seats: prepared.seats,
    members: prepared.protocol.members,
    network: prepared.network,
    seed,
    limits: { until: ms(60_000) },
    strict: true,
    inputs: {
      next: () => undefined,
      answered(_at, _seat, answer) {
        answers.set(answer.id, answer);
        return undefined;
      },
    },
  });
  let asked = 0;
  return {
    simulation,
    /** The answer to an operation, or nothing if there is none within some seconds. */
    ask(what: Pick<Submit, 'operation' | 'configuration'>): Answer | undefined {
      const id = asked++;
      const event = { type: 'submit', id, readOnly: false, ...what } as const;
      simulation.input({ at: simulation.now, seat, event });
      const end = simulation.now + ms(5000);
      while (!answers.has(id) && simulation.now < end)
        if (!simulation.runUntil(Math.min(end, simulation.now + ms(10)))) break;
      return answers.get(id);
    },
    leader: () => simulation.seat(0).status?.leader ?? 0,
  };
}

const append = { operation: kv.append('log', 'x;') };

test('once two of five accept, the leader and one follower go on without the others', () => {
  const { simulation, ask, leader } = world('1');
  expect(ask(append)?.result).toBeDefined();
  const change = ask({ operation: encodeQuorumChange(members, small), configuration: true });
  expect(change?.error).toBeUndefined();
  for (const _ of range(20)) expect(ask(append)?.result).toBeDefined();
  const chief = leader();
  const others = members.filter((each) => each !== chief);
  for (const each of others.slice(0, 3))
    simulation.inject({ type: 'crash', at: simulation.now, seat: each });
  expect(ask(append)?.result).toBeDefined();
  simulation.inject({ type: 'crash', at: simulation.now, seat: chief });
  expect(ask(append)).toBeUndefined();
});

test('the group refuses quorums that do not meet, and tells its client which', () => {
  const { ask } = world('2');
  const wrong = encodeChange(members, quorumText({ kind: 'simple', q1: 2, q2: 3 }));
  const answer = ask({ operation: wrong, configuration: true });
  expect(JSON.stringify(answer?.error ?? new TextDecoder().decode(answer?.result))).toContain(
    'the phase 1 quorum {0, 1} and the phase 2 quorum {2, 3, 4} share nobody',
  );
  expect(ask(append)?.result).toBeDefined();
});
