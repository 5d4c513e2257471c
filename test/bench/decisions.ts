/** One decision of a Byzantine protocol without cryptography: from nothing to the last replica. */
import { agreement } from '@quorumlab/checker';
import { completeScenario, prepare } from '@quorumlab/harness';
import { kv } from '@quorumlab/log';
import { simulate } from '@quorumlab/sim';
import { heapLoop } from './limits.ts';
import { collect, cpuSince, median, type Part, type Row } from './measure.ts';

/** Seconds that the design allows PBFT. */
const targets: Readonly<Record<number, number>> = { 32: 0.01, 128: 0.15, 512: 5 };

/** A group that decides one request after the other, each when all replicas have the one before. */
function group(protocol: string, n: number): { decide(): { seconds: number; events: number } } {
  const prepared = prepare(
    completeScenario({ protocol, n, clients: 1, seed: 'bench', until: 1e12 }),
  );
  const check = agreement();
  let decided = 0;
  const simulation = simulate({
    messages: prepared.messages,
    keyring: prepared.keyring,
    evidence: (message) =>
      prepared.protocol.messages.of(message.kind) === undefined
        ? []
        : (prepared.protocol.evidence?.(message) ?? []),
    seats: prepared.seats,
    members: prepared.protocol.members,
    network: prepared.network,
    seed: 'bench',
    limits: {},
    observer: {
      decided(at, seat, decision) {
        // Blocks that only confirm others decide nothing.
        if (decision.commands.length > 0) decided++;
        check.decided?.(at, seat, decision);
      },
      get violation() {
        return check.violation;
      },
    },
  });
  let rounds = 0;
  return {
    decide() {
      const began = process.cpuUsage();
      const before = simulation.events;
      rounds++;
      const operation = kv.put('key', 'x'.repeat(100));
      simulation.input({
        at: simulation.now,
        seat: prepared.firstClientSeat,
        event: { type: 'submit', id: rounds, operation, readOnly: false },
      });
      while (decided < rounds * n)
        if (!simulation.step()) throw new Error(`it ended after ${decided} decisions`);
      return { seconds: cpuSince(began), events: simulation.events - before };
    },
  };
}

/** For group size `n`; must be the first thing that its process measures. */
export const decisionsOf =
  (protocol: string, n: number): Part =>
  async ({ quick }) => {
    collect();
    const before = process.memoryUsage().rss;
    const began = process.cpuUsage();
    const made = group(protocol, n);
    const first = made.decide();
    const cold = cpuSince(began);
    const peak = process.resourceUsage().maxRSS * 1024;
    const repeats = n >= 512 ? (quick ? 1 : 3) : n >= 128 ? (quick ? 3 : 10) : quick ? 50 : 200;
    const warm = median(Array.from({ length: repeats }, () => made.decide().seconds));
    // The same number of events through a bare heap is the least that any simulator needs.
    heapLoop(200_000);
    const least = first.events / heapLoop(1_000_000);
    const limit = { name: `bare heap, ${first.events} events`, value: least * 1000 };
    const name = `${protocol} n=${n}`;
    const target = protocol === 'pbft' ? targets[n] : undefined;
    const aim = target ? { target: { value: target * 1000, better: 'less' as const } } : {};
    const part = 'decision';
    const rows: Row[] = [
      {
        part,
        name: `${name}: first decision of a fresh process`,
        value: cold * 1000,
        unit: 'ms',
        limit,
        ...aim,
        note: 'CPU of all threads; making the replicas and compiling the code included',
      },
      {
        part,
        name: `${name}: a later decision`,
        value: warm * 1000,
        unit: 'ms',
        limit,
        ...aim,
        note: `median of ${repeats}, same group`,
      },
      {
        part,
        name: `${name}: peak memory`,
        value: peak / 1e6,
        unit: 'MB',
        limit: { name: 'process before', value: before / 1e6 },
        ...(target !== undefined && n === 512
          ? { target: { value: 1000, better: 'less' as const } }
          : {}),
        note: 'resident set of the whole process after the first decision',
      },
    ];
    return rows;
  };
