// A state machine of one's own on Raft: three replicas and a client in the simulator, and a crash
// of whoever leads. Run it twice: the digest is the same.
import { decode, encode, integer, SchemaError } from '@quorumlab/core';
import { simulateService } from '@quorumlab/harness';
import type { StateMachine } from '@quorumlab/log';
import { raft } from '@quorumlab/raft';

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
const { simulation, submit } = simulateService(protocol, { stateMachine: counter, seed: 7 });
const add = (addition: number): number => decode(number, submit(encode(number, addition)));
const leader = (): number | undefined =>
  protocol.members.find((id) => simulation.seat(id).status?.leader === id);

const totals = [add(1), add(2)];
const first = leader() ?? 0;
simulation.inject({ type: 'crash', at: simulation.now, seat: first });
totals.push(add(3), add(4));
console.log(`replica ${first} led and crashed, then replica ${leader()} led`);
console.log(`totals: ${totals.join(', ')}`);
console.log(`digest: ${simulation.finish().digest}`);
