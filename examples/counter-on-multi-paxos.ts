// A counter on Multi-Paxos. One replica loses its disk, comes back and asks all others what it may
// have promised. Its state comes as a snapshot. Then the leader crashes; the other two go on.
import { decode, encode, firstClient, integer, type Machine } from '@quorumlab/core';
import { protocolOf } from '@quorumlab/harness';
import {
  client,
  type LogShape,
  type Serviced,
  type StateMachine,
  service,
  serviceMessages,
} from '@quorumlab/log';
import { lan, type Seat, simulate, ssd } from '@quorumlab/sim';
import { digestOf, idealAuthority, idealKeyring } from '@quorumlab/wire';

type Counting = Serviced<LogShape>;
const number = integer();

/** Adds the first byte of what it is told and answers with the total. */
function counter(): StateMachine {
  let total = 0;
  const answer = (): Uint8Array => encode(number, total);
  return {
    apply(operation) {
      total += operation[0] ?? 0;
      return answer();
    },
    query: answer,
    snapshot: answer,
    restore: (snapshot) => void (total = decode(number, snapshot)),
  };
}

// Slots that a snapshot covers are dropped at once, so whoever needs them needs the snapshot.
const options = { snapshotEvery: 2, keepSlots: 0 };
const protocol = protocolOf('multi-paxos').create({ n: 3, f: 1, options });
const replicas = protocol.members.map(
  (self): Seat<Counting> => ({
    principal: self,
    disk: ssd,
    make: (stable) =>
      service<LogShape>(protocol, self, {
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
const answers = new Map<number, Uint8Array>();
const simulation = simulate<Counting>({
  messages,
  keyring: (_seat, self) => idealKeyring({ authority, messages, protocol, self }),
  seats: [...replicas, asker],
  network: lan,
  inputs: {
    next: () => undefined,
    answered(_at, _seat, { id, result, error }) {
      if (result === undefined) throw new Error(error);
      answers.set(id, result);
      return undefined;
    },
  },
  seed: 7,
  limits: { until: 20_000_000 },
});

/** The total, once the group has added `addition`. */
function add(addition: number): number {
  const id = answers.size;
  const operation = Uint8Array.of(addition);
  const event = { type: 'submit', id, operation, readOnly: false } as const;
  simulation.input({ at: simulation.now, seat: protocol.members.length, event });
  while (!answers.has(id)) simulation.runUntil(simulation.now + 10_000);
  return decode(number, answers.get(id) as Uint8Array);
}

const roles = (): string =>
  protocol.members.map((id) => simulation.seat(id).status?.role ?? 'down').join(', ');

console.log(`totals: ${[1, 2, 3, 4, 5].map(add).join(', ')}`);
const leader = simulation.seat(0).status?.leader ?? 0;
const emptied = (leader + 1) % 3;
simulation.inject({ type: 'crash', at: simulation.now, seat: emptied });
simulation.inject({ type: 'restart', at: simulation.now, seat: emptied, disk: 'lost' });
simulation.runUntil(simulation.now + 100);
console.log(`without its disk: ${roles()}`);
simulation.runUntil(simulation.now + 2_000_000);
console.log(`all have answered: ${roles()}`);
simulation.inject({ type: 'crash', at: simulation.now, seat: leader });
console.log(`totals: ${[6, 7].map(add).join(', ')}`);
