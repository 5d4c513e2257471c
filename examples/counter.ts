// A state machine of one's own on Raft: three replicas and a client in the simulator, and a crash
// of whoever leads. Run it twice: the digest is the same.
import { decode, encode, firstClient, integer, type Machine, SchemaError } from '@quorumlab/core';
import { client, type Serviced, type StateMachine, service, serviceMessages } from '@quorumlab/log';
import { type Raft, raft } from '@quorumlab/raft';
import { lan, type ScheduledInput, type Seat, simulate, ssd } from '@quorumlab/sim';
import { digestOf, idealAuthority, idealKeyring } from '@quorumlab/wire';

type Counting = Serviced<Raft>;
const number = integer();

/** Adds what it is told and answers with the total. Bytes that are no number change nothing. */
function counter(): StateMachine {
  let total = 0;
  const answer = (): Uint8Array => encode(number, total);
  return {
    apply(operation) {
      try {
        total += decode(number, operation);
      } catch (error) {
        if (!(error instanceof SchemaError)) throw error; // A state machine must not throw.
      }
      return answer();
    },
    query: answer,
    snapshot: answer,
    restore(snapshot) {
      total = decode(number, snapshot);
    },
  };
}

const protocol = raft({ n: 3 });
const replicas = protocol.members.map(
  (self): Seat<Counting> => ({
    principal: self,
    disk: ssd,
    make: (stable) =>
      service<Raft>(protocol, self, {
        stateMachine: counter,
        digest: digestOf,
        ...(stable ? { stable } : {}),
      }),
  }),
);
const asker: Seat<Counting> = {
  principal: firstClient,
  // A client speaks only the service's messages, which every replica of any protocol understands.
  make: () =>
    client(protocol.client, protocol.members, firstClient) as unknown as Machine<Counting>,
};

const authority = idealAuthority();
const messages = serviceMessages(protocol.messages);
const additions = [1, 2, 3, 4];
const totals: number[] = [];

/** The next addition, as what the client (seat 3) is asked to do. */
function nextAt(at: number): ScheduledInput<Counting> | undefined {
  const addition = additions.shift();
  if (addition === undefined) return undefined;
  const operation = encode(number, addition);
  return { at, seat: 3, event: { type: 'submit', id: addition, operation, readOnly: false } };
}
const simulation = simulate<Counting>({
  messages,
  keyring: (_seat, self) => idealKeyring({ authority, messages, protocol, self }),
  seats: [...replicas, asker],
  network: lan,
  inputs: {
    next: () => (additions.length === 4 ? nextAt(1_000_000) : undefined),
    answered(at, _seat, { result, error }) {
      if (result === undefined) throw new Error(error);
      totals.push(decode(number, result));
      return nextAt(at + 500_000);
    },
  },
  seed: 7,
  limits: { until: 10_000_000 },
});

simulation.runUntil(1_400_000);
const leader = simulation.seat(0).status?.leader ?? 0;
simulation.inject({ type: 'crash', at: simulation.now, seat: leader });
const { digest } = simulation.run();
const next = protocol.members.find((id) => simulation.seat(id).status?.leader === id);
console.log(`replica ${leader} led and crashed, then replica ${next} led`);
console.log(`totals: ${totals.join(', ')}`);
console.log(`digest: ${digest}`);
