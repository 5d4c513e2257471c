/** Events per second of the simulator itself, with a protocol that does next to nothing. */
import { range, replica } from '@quorumlab/core';
import { lan, type SimulationOptions, simulate, ssd } from '@quorumlab/sim';
import { digestOf } from '@quorumlab/wire';
import {
  believing,
  type Counting,
  counting,
  countingMessages,
  countingSeats,
} from '../../packages/sim/fixtures/counting.ts';

function run(name: string, options: Partial<SimulationOptions<Counting>>, n: number): void {
  const events = 3_000_000;
  for (let i = 0; i < 3; i++) {
    const began = process.cpuUsage();
    const result = simulate<Counting>({
      messages: countingMessages,
      keyring: believing,
      seats: countingSeats(n),
      network: lan,
      seed: 42,
      limits: { events },
      ...options,
    }).run();
    const seconds = process.cpuUsage(began).user / 1e6;
    console.log(
      `${name} n=${n}: ${(result.events / seconds / 1e6).toFixed(2)} M events/s, ` +
        `queue ${result.counters.largestQueue}, ${result.counters.decisions} decisions, ` +
        result.digest.slice(0, 8),
    );
  }
}

run('instant disk', {}, 3);
run('ssd', { seats: countingSeats(3, { disk: ssd }) }, 3);
run('recorded', { record: true }, 3);
run('instant disk', {}, 31);

/** All to all: n(n-1) messages under way at once, as in one PBFT phase. */
function storm(n: number): void {
  const protocol = counting(n);
  const began = process.cpuUsage();
  const result = simulate<Counting>({
    messages: countingMessages,
    keyring: believing,
    seats: range(n).map((principal) => ({
      principal,
      make: () => {
        const inner = replica(protocol, principal, { digest: digestOf });
        return {
          ...inner,
          step(input) {
            const output = inner.step(input);
            if (input.event.type !== 'start') return { ...output, sends: [], timers: [] };
            return { ...output, sends: [{ to: 'all', message: { kind: 'say', number: 1 } }] };
          },
        };
      },
    })),
    network: lan,
    seed: 1,
    limits: { until: 1_000_000 },
  }).run();
  const seconds = process.cpuUsage(began).user / 1e6;
  const { rss } = process.memoryUsage();
  console.log(
    `storm n=${n}: ${result.events} events in ${seconds.toFixed(2)} s, ` +
      `queue ${result.counters.largestQueue}, ` +
      `rss ${(rss / 1e6).toFixed(0)} MB`,
  );
}
storm(128);
storm(512);
