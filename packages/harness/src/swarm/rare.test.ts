import { range } from '@quorumlab/core';
import { expect, test } from 'vitest';
import { protocols } from '../protocols.ts';
import { runScenario } from '../run.ts';
import { isRare } from './rare.ts';
import { subjectsOf, swarmWorld } from './swarm.ts';

const subjects = protocols.flatMap(({ name }) => subjectsOf(name));
const seeds = range(60).map((i) => i + 1);

test('every fifth world from the tenth on is rare, and others have nothing of it', () => {
  expect(seeds.filter(isRare)).toEqual(range(11).map((i) => 5 * (i + 2)));
  for (const subject of subjects)
    for (const seed of seeds) {
      const { principals, changes, sessionCaps, stepBytes, faults } = swarmWorld(
        subject,
        seed,
      ).scenario;
      const rare = [principals, changes, sessionCaps, stepBytes].some((each) => each !== undefined);
      const cutOff = faults.some((fault) => fault.type === 'crash' && fault.boundary !== undefined);
      if (!isRare(seed)) expect([rare, cutOff], `${subject.name} ${seed}`).toEqual([false, false]);
    }
});

test('counting what a run reaches changes nothing in it, and two counts are equal', () => {
  for (const subject of subjects.slice(0, 3)) {
    const { scenario } = swarmWorld(subject, 15);
    const counted = runScenario(scenario, { reached: true, story: true });
    const plain = runScenario(scenario);
    expect(counted.digest).toBe(plain.digest);
    expect(plain.reached).toEqual({});
    expect(runScenario(scenario, { reached: true }).reached).toEqual(counted.reached);
  }
});

test('a group that cannot be changed refuses a scenario with changes', () => {
  const subject = subjects.find(({ name }) => name === 'streamlet') ?? subjects[0];
  if (subject === undefined) throw new Error('there is nothing to run');
  const changes = [{ at: 0, members: [0, 1] }];
  expect(() => runScenario({ ...swarmWorld(subject, 1).scenario, changes })).toThrow(
    /streamlet cannot change its group/,
  );
});
