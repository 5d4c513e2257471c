/**
 * Known mistakes with flexible quorums as schedules: the right protocol survives each, the mutant
 * that has the mistake does not.
 */
import { expect, it } from 'vitest';
import { among, Group } from '../test/group.ts';
import { type FlexiblePaxosOptions, flexiblePaxos } from './index.ts';
import { mutants } from './mutants.ts';

/** Runs `script` with the right protocol and with the mutant; only the mutant may fork. */
function forks(name: string, options: FlexiblePaxosOptions, script: (group: Group) => void): void {
  const make = mutants[name];
  if (make === undefined) throw new Error(`there is no mutant ${name}`);
  const right = new Group(flexiblePaxos(options));
  const wrong = new Group(make(options));
  script(right);
  script(wrong);
  expect(right.forked).toBe(false);
  expect(wrong.forked).toBe(true);
}

it('A-11: q1 + q2 is not above the number of members', () => {
  forks('disjoint-quorums', { n: 5 }, (group) => {
    group.elect(0, among(0, 1));
    group.propose(0, 'x');
    group.settle(among(0, 1, 2));
    group.elect(4, among(3, 4));
    group.propose(4, 'y');
    group.settle(among(2, 3, 4));
  });
});

it('A-11: a row of the grid is taken for a quorum in both phases', () => {
  forks('rows-for-both', { n: 4, grid: '2x2' }, (group) => {
    for (const [id, text, row] of [
      [0, 'x', [0, 1]],
      [3, 'y', [2, 3]],
    ] as const) {
      group.elect(id, among(...row));
      group.propose(id, text);
      group.settle(among(...row));
    }
  });
});

it('A-12: quorum sizes are a setting of each replica, and one is given new ones', () => {
  // Replicas 3 and 4 of the mutant already go by (4, 2), the others by (3, 3).
  forks('live-resize', { n: 5, q1: 4, q2: 2 }, (group) => {
    group.elect(4, among(1, 2, 3, 4));
    group.propose(4, 'x');
    group.settle(among(3, 4));
    expect(group.log(4)).toBe('x');
    group.elect(0, among(0, 1, 2));
    group.propose(0, 'y');
    group.settle(among(0, 1, 2));
  });
});
