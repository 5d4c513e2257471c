/**
 * A primary of PBFT that breaks no rule, and is slow: to one client, or to all. What clients notice
 * of it, in virtual time. Replica 0 leads first, and lies for as long as the run lasts.
 */
import { holdBack } from '@quorumlab/adversary';
import { firstClient, ms, type Protocol, range } from '@quorumlab/core';
import { simulateService } from '@quorumlab/harness';
import { keyValueStore, kv, type LogShape, type Serviced } from '@quorumlab/log';
import { type PbftOptions, pbft } from '@quorumlab/pbft';
import { digestOf } from '@quorumlab/wire';
import { expect, test } from 'vitest';

const victim = 0;

/** What a client waits for one write, on the average, once `warmUp` of them are over. */
function waits(
  options: Partial<PbftOptions>,
  heldBack: readonly [by: number, whom: 'one client' | 'all'],
  { writes, warmUp }: { readonly writes: number; readonly warmUp: number },
) {
  const [by, whom] = heldBack;
  const protocol = pbft({ n: 4, digest: digestOf, ...options });
  const { simulation, submit } = simulateService(protocol as unknown as Protocol<LogShape>, {
    stateMachine: keyValueStore,
    clients: 2,
    traitors: {
      0: holdBack<Serviced<LogShape>>(
        by,
        (client) => whom === 'all' || client === firstClient + victim,
      ),
    },
    until: ms(3_600_000),
  });
  const took = { victim: 0, other: 0 };
  for (const i of range(writes + warmUp)) {
    const start = simulation.now;
    // The other one asks ten times as often.
    for (const j of range(10)) submit(kv.put('other', `${i} ${j}`), { client: 1 });
    const between = simulation.now;
    submit(kv.put('victim', `${i}`), { client: victim });
    if (i < warmUp) continue;
    took.other += (between - start) / 10;
    took.victim += simulation.now - between;
  }
  const { view } = (simulation.seat(1).machine?.snapshot().stable ?? {}) as { view?: number };
  return { victim: took.victim / writes, other: took.other / writes, view: view ?? 0 };
}

test('a primary that serves one client late has its way, unless the group is fair', () => {
  const by = ms(1200);
  const unfair = waits({}, [by, 'one client'], { writes: 10, warmUp: 1 });
  expect(unfair.view).toBe(0);
  expect(unfair.victim).toBeGreaterThanOrEqual(by);
  expect(unfair.other).toBeLessThan(ms(20));
  const fair = waits({ fair: true }, [by, 'one client'], { writes: 10, warmUp: 1 });
  expect(fair.view).toBeGreaterThan(0);
  expect(fair.victim).toBeLessThan(2 * fair.other);
});

test('so has one that serves all late, unless primaries are replaced and compared', () => {
  const by = ms(400);
  const much = { writes: 400, warmUp: 6 };
  const slow = waits({}, [by, 'all'], { writes: 5, warmUp: 1 });
  expect(slow.view).toBe(0);
  expect(slow.other).toBeGreaterThanOrEqual(by);
  // It leads one time in four, and then for as long as its demand lets it.
  const compared = waits({ fair: true, reign: ms(1000) }, [by, 'all'], much);
  // Its turn came again, and again.
  expect(compared.view).toBeGreaterThan(8);
  expect(compared.other).toBeLessThan(by / 4);
});

test('an honest primary is replaced for neither', () => {
  const honest = waits({ fair: true }, [0, 'one client'], { writes: 50, warmUp: 1 });
  expect(honest.view).toBe(0);
});
