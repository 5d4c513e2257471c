/**
 * Sutra's counterexample to the EPaxos of 2013 (arXiv 1906.10917), 25 steps in his TLA+ and these
 * here: R0 leads the instance, R2 knows J, which interferes, and R1 nothing.
 */
import { exhibit, protocolOf } from '@quorumlab/harness';
import { expect, test } from 'vitest';
import {
  type Ballots,
  type Instance,
  instance,
  recovered,
  type Told,
} from './egalitarian-paxos.ts';

/** `who` of the replicas join `ballot`; what the recovery goes on with. */
function prepared(of: Instance, ballot: number, who: readonly number[]): readonly string[] {
  const told = who.map((at) => of.prepare(at, ballot));
  expect(told).not.toContain(undefined);
  return recovered(told as readonly Told[]);
}

/** What each replica has committed after the schedule. */
function replay(ballots: Ballots): readonly (readonly string[] | undefined)[] {
  const of = instance(ballots);
  of.preAccept(0, []);
  of.preAccept(2, ['J']);
  // R2 recovers with R1, in ballot 1, and accepts what it has; that does not get to R1 any more.
  expect(of.accept(2, 1, prepared(of, 1, [2, 1]))).toBe(true);
  // R1 recovers with R0, in ballot 2: both accept, and the answer of R0 is under way to R1.
  const second = prepared(of, 2, [1, 0]);
  expect(second).toEqual([]);
  const answers = [1, 0].map((at) => of.accept(at, 2, second));
  // R0 asks R2 and itself in ballot 3, goes no further, and asks again in ballot 4.
  prepared(of, 3, [2, 0]);
  const fourth = prepared(of, 4, [2, 0]);
  expect([2, 0].map((at) => of.accept(at, 4, fourth))).toEqual([true, true]);
  for (const at of [0, 2]) of.commit(at, fourth);
  // The answer arrives: ballot 2 has a majority.
  expect(answers).toEqual([true, true]);
  of.commit(1, second);
  return [0, 1, 2].map((at) => of.committedAt(at));
}

test('A-35 with one ballot, two replicas commit other dependencies than the third', () => {
  expect(replay('one')).toEqual([['J'], [], ['J']]);
});

test('with the ballot in which it was accepted apart, all commit the same', () => {
  expect(replay('two')).toEqual([[], [], []]);
});

test('our EPaxos survives what it is for its recovery, and does not with one ballot', () => {
  const { right, wrong } = exhibit(protocolOf('epaxos'), 'ballot-overwrite');
  expect([right.word, wrong.word]).toEqual(['ok', 'forked']);
});
