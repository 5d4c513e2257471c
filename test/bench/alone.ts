/** Raft without service, clients and store: what simulator and protocol cost by themselves. */
import { agreement } from '@quorumlab/checker';
import { firstClient, type Request, range, replica, type Signature, seal } from '@quorumlab/core';
import { type Raft, raft } from '@quorumlab/raft';
import { lan, type Simulation, simulate, ssd } from '@quorumlab/sim';
import { digestOf, idealAuthority, idealKeyring } from '@quorumlab/wire';
import { heapLoop } from './limits.ts';
import { cpuSince, inTurns, type Part } from './measure.ts';

const operation = new Uint8Array(110).fill(7);
const signature = new Uint8Array(0) as Signature;

function request(sequence: number) {
  const body: Request = {
    kind: 'request',
    client: firstClient,
    sequence,
    acknowledged: sequence,
    operations: [operation],
  };
  return seal<Request>(body, firstClient, signature);
}

function group(): Simulation<Raft> {
  const protocol = raft({ n: 3 });
  const authority = idealAuthority();
  const { messages } = protocol;
  return simulate<Raft>({
    messages,
    keyring: (_seat, self) => idealKeyring({ authority, messages, protocol: { messages }, self }),
    seats: range(3).map((self) => ({
      principal: self,
      make: (stable) =>
        replica(protocol, self, { digest: digestOf, lines: false, ...(stable ? { stable } : {}) }),
      disk: ssd,
    })),
    network: lan,
    seed: 'bench',
    limits: {},
    observer: agreement(),
  });
}

/** Events per second of CPU time while the leader is given `count` requests, one every 60 µs. */
function eventRate(count: number): number {
  const simulation = group();
  const leader = (): number =>
    range(3).findIndex((seat) => simulation.seat(seat).status?.role === 'leader');
  while (leader() < 0) simulation.step();
  const seat = leader();
  const before = simulation.events;
  const began = process.cpuUsage();
  for (let i = 0; i < count; i++) {
    const at = simulation.now + 60;
    simulation.input({ at, seat, event: { type: 'propose', command: request(i) } });
    simulation.runUntil(at);
  }
  const rate = (simulation.events - before) / cpuSince(began);
  const { violation, counters } = simulation.finish();
  if (violation !== undefined || counters.decisions < count)
    throw new Error(`the benchmark's own run decided ${counters.decisions} times`);
  return rate;
}

/** See {@link eventRate}. */
export const raftAlone: Part = async ({ quick }) => {
  const found = await inTurns(quick ? 3 : 7, {
    events: () => eventRate(quick ? 20_000 : 60_000),
    heap: () => heapLoop(2_000_000),
  });
  return [
    {
      part: 'simulator',
      name: 'raft n=3, protocol alone, agreement checked',
      value: found.events,
      unit: 'events/s',
      limit: { name: 'bare binary heap, 1,000 pending', value: found.heap },
      target: { value: 1_000_000, better: 'more' },
      note: 'no service, clients or store; ideal signatures; per second of CPU of all threads',
    },
  ];
};
