/** Replicas that come to their group later, and one step at a time. */

import { command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster } from '../test/cluster.ts';
import { ConfigurationError, encodeStep, multiPaxos, type Step } from './index.ts';

const about = Uint8Array.of(1, 2, 3);

function start(): Cluster {
  const group = cluster(multiPaxos({ n: 3, seats: 6, alpha: 2 }));
  group.elect(0);
  return group;
}

let asked = 0;
function ask(group: Cluster, step: Step): void {
  asked += 1;
  const configuration = encodeStep(step);
  group.request(0, { ...command(`step ${asked}`), operations: [], configuration });
  calm(group);
}

/** Heartbeats, and what is missing is asked for. */
function calm(group: Cluster): void {
  for (let i = 0; i < 6; i++) {
    group.settle();
    for (const { id, timers } of group.nodes)
      for (const timer of ['heartbeat', 'catch-up'] as const)
        if (timers.has(timer)) group.fire(id, timer);
  }
  group.settle();
}

const rosterOf = (group: Cluster, id: number) => group.nodes[id]?.machine.roster?.();

describe('a replica that comes later', () => {
  test('is told to all by the log, learns, votes, leaves, and keeps its number', () => {
    const group = start();
    for (const text of ['a', 'b', 'c', 'd']) group.propose(0, text);
    calm(group);
    ask(group, { server: 3, becomes: 'learner', about });
    expect(rosterOf(group, 1)).toMatchObject({
      voters: [0, 1, 2],
      learners: [3],
      seats: [{ member: 3, about }],
    });
    // Whoever is no member asks around, and gets a snapshot where the log has lost its head.
    for (let i = 0; i < 3; i++) {
      group.timeout(3, 'election');
      calm(group);
    }
    expect(rosterOf(group, 3)).toEqual(rosterOf(group, 1));
    ask(group, { server: 3, becomes: 'voter' });
    expect(rosterOf(group, 3)?.voters).toEqual([0, 1, 2, 3]);
    ask(group, { server: 3, becomes: 'none' });
    expect(rosterOf(group, 0)).toMatchObject({ voters: [0, 1, 2], learners: [], left: [3] });
    ask(group, { server: 3, becomes: 'learner', about: Uint8Array.of(9) });
    expect(group.refusals.at(-1)).toContain('a number is never given twice');
  });

  test('is refused with a reason where it cannot be', () => {
    const group = start();
    const refusedBy = (step: Step): string => {
      ask(group, step);
      return group.refusals.at(-1) ?? '';
    };
    expect(refusedBy({ server: 4, becomes: 'voter' })).toContain('replica 4 is not one of the 3');
    expect(refusedBy({ server: 6, becomes: 'learner', about })).toContain('room for replicas 0');
    expect(refusedBy({ server: 1, becomes: 'learner', about })).toContain('do not tell its key');
    expect(refusedBy({ server: 1, becomes: 'voter' })).toContain('the group is that already');
    expect(() => encodeStep({ server: 4096, becomes: 'voter' })).toThrow(ConfigurationError);
    ask(group, { server: 1, becomes: 'none' });
    ask(group, { server: 2, becomes: 'none' });
    expect(refusedBy({ server: 0, becomes: 'none' })).toContain('a group needs members');
  });
});
