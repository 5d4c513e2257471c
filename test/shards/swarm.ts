/** A random run: clients that append and read, ranges that move, and all that may go wrong. */
import { ms, type Protocol } from '@quorumlab/core';
import type { LogShape } from '@quorumlab/log';
import { multiPaxos } from '@quorumlab/multi-paxos';
import { raft } from '@quorumlab/raft';
import { type ShardRules, shardRules } from '@quorumlab/shards';
import { anyFaults, epsilon, type World, world } from './world.ts';

const keys = ['a', 'b', 'x', 'y'];
/** When everything is healed. */
const end = ms(3000);

export interface SwarmOptions {
  readonly rules?: ShardRules;
  /** How far the clocks of the first group's keepers are beyond their bound. */
  readonly beyond?: number;
  /** The bound that all clocks declare, and nearly use up. 4 ms unless told. */
  readonly bound?: number;
}

/** Runs seed `seed` until all has ended, or long enough for that. */
export function swarm(seed: number, told: SwarmOptions = {}): World {
  const { rules = shardRules, beyond = 0, bound = epsilon } = told;
  const options = { n: 3, snapshotEvery: 64 };
  const protocol = seed % 2 === 0 ? raft(options) : multiPaxos(options);
  const made = world({
    protocol: protocol as unknown as Protocol<LogShape>,
    seed,
    rules,
    // As wrong as they may be, half of them early and half of them late, and they drift.
    clock: (place) => ({
      epsilon: bound,
      offset: (bound - ms(1)) * (place % 2 === 0 ? -1 : 1) + (place < 2 ? beyond : 0),
      driftPerBillion: place % 2 === 0 ? -50_000 : 50_000,
    }),
  });
  const { random, simulation } = made;
  for (const fault of anyFaults(made, 2, 3, end)) simulation.inject(fault);
  // One client goes and never comes back: others bring what it began to an end.
  if (random.below(2) === 0)
    simulation.inject({ type: 'crash', at: ms(700 + random.below(2000)), seat: made.client(2) });
  const some = (): string[] => keys.filter(() => random.below(3) === 0);
  for (let at = ms(600); at < end; at += ms(20 + random.below(80))) {
    const client = random.below(3);
    const appends = some();
    if (random.below(3) > 0 && appends.length > 0) made.append(at, client, appends, some());
    else
      made.read(at, client, some(), random.below(2) === 0 ? undefined : at - ms(random.below(400)));
  }
  made.move(ms(900 + random.below(900)), 0, 'n', 1, 0);
  made.move(ms(2000 + random.below(500)), 1, '', 0, 1);
  while (simulation.now < end || made.open() > 0 || made.moves.length < 2)
    if (simulation.now > ms(20_000) || !simulation.runUntil(simulation.now + ms(50))) break;
  return made;
}

/**
 * What is wrong with a run, in words; nothing: all holds, and all has ended. Where a clock was
 * beyond its bound, that is why: then it is named, with the reading.
 */
export function verdictOf(run: World): string | undefined {
  const wrong = run.wrong();
  const broken = run.brokenBound();
  if (wrong !== undefined) return broken === undefined ? wrong : `stale-read: ${wrong}; ${broken}`;
  if (run.open() > 0) return `${run.open()} transactions have not ended`;
  return run.moves.length < 2 ? 'a move has not ended' : undefined;
}
