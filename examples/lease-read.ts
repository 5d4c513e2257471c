// Reads by a lease on Raft: a leader that trusts clocks answers alone, and its followers hear
// nothing of it. What that saves, and what becomes of it when a clock is further off than declared.
import { completeScenario, type RunResult, runScenario, simulateService } from '@quorumlab/harness';
import { keyValueStore, kv } from '@quorumlab/log';
import { raft } from '@quorumlab/raft';

const count = 20;
/** Microseconds between two reads. */
const pause = 1000;

/** Messages that so many reads take, between client and replicas and among replicas. */
function messagesOf(reads: 'quorum' | 'lease'): number {
  const { simulation, submit, pass } = simulateService(raft({ n: 3, reads }), {
    stateMachine: keyValueStore,
  });
  submit(kv.put('seat 1A', 'Ann'));
  const before = simulation.counters.sent;
  const began = simulation.now;
  for (let i = 0; i < count; i++) {
    submit(kv.get('seat 1A'), { readOnly: true });
    pass(pause);
  }
  const inAll = simulation.counters.sent - before;
  // Heartbeats go on beside it: about as many as in the same time without a read.
  const time = simulation.now - began;
  const rest = simulation.counters.sent;
  pass(time);
  return inAll - (simulation.counters.sent - rest);
}

for (const reads of ['quorum', 'lease'] as const)
  console.log(`${count} reads by ${reads}: ${messagesOf(reads)} messages`);

// A leader whose clock is slow by a tenth is cut off, and the others, whose clocks are fast by as
// much, elect another. Seed by seed, until a read at the old one misses a write at the new one.
const attacked = (clockDrift: number, seed: number): RunResult =>
  runScenario(
    completeScenario({
      ...{ protocol: 'raft', attack: 'slow-leader', workload: 'b', clients: 40, count: 3000 },
      options: { reads: 'lease', electionTimeout: 1_000_000, clockDrift },
      seed: `${seed}`,
    }),
  );
let seed = 0;
let beyond = attacked(1000, seed);
while (beyond.word === 'ok' && seed < 40) beyond = attacked(1000, ++seed);
console.log(`clocks declared within 0.1 %: ${beyond.word} by clocks that are wrong by 10 %`);
console.log(`the same with clocks declared within 10 %: ${attacked(100_000, seed).word}`);
