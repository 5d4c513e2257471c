// A counter on Multi-Paxos. One replica loses its disk, comes back and asks all others what it may
// have promised. Its state comes as a snapshot. Then the leader crashes; the other two go on.
import { decode, encode, integer, ms } from '@quorumlab/core';
import { simulateService } from '@quorumlab/harness';
import type { StateMachine } from '@quorumlab/log';
import { multiPaxos } from '@quorumlab/multi-paxos';

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
const protocol = multiPaxos({ n: 3, snapshotEvery: 2, keepSlots: 0 });
const { simulation, submit, pass } = simulateService(protocol, { stateMachine: counter });
const add = (addition: number): number => decode(number, submit(Uint8Array.of(addition)));
const roles = (): string =>
  protocol.members.map((id) => simulation.seat(id).status?.role ?? 'down').join(', ');

console.log(`totals: ${[1, 2, 3, 4, 5].map(add).join(', ')}`);
const leader = simulation.seat(0).status?.leader ?? 0;
const emptied = (leader + 1) % 3;
simulation.inject({ type: 'crash', at: simulation.now, seat: emptied });
simulation.inject({ type: 'restart', at: simulation.now, seat: emptied, disk: 'lost' });
pass(100);
console.log(`without its disk: ${roles()}`);
pass(ms(2000));
console.log(`all have answered: ${roles()}`);
simulation.inject({ type: 'crash', at: simulation.now, seat: leader });
console.log(`totals: ${[6, 7].map(add).join(', ')}`);
