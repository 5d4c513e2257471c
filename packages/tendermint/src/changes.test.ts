/** What each change of the group comes to, one after the other, at a replica that hears of them. */
import * as files from 'node:fs';
import {
  type Batch,
  certify,
  firstClient,
  type Roster,
  type ValidatorStep as Step,
  validatorsAt,
} from '@quorumlab/core';
import {
  changeRequestOf,
  keeper,
  requestOf,
  type Sheet,
  Transcript,
} from '@quorumlab/protocol-testing';
import { expect, it } from 'vitest';
import { idOf, names } from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import { encodeStep, encodeValidators, type TendermintOptions } from './index.ts';
import type { Precommit } from './messages.ts';
import { nameAt } from './validators.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
/** A test that writes what the one on file says. */
const kept = (name: string, words: string, play: (sheet: Sheet) => void): void =>
  it(words, () => expect(keep(name, play)).not.toBe(''));

/** Replica 2 hears that `batch` is decided at its height, by all who vote there. */
function decide(network: Network, batch: Batch): void {
  const { validators: sets, height } = network.state(2);
  const set = nameAt(sets, height);
  const value = idOf(batch);
  const body: Precommit = { kind: 'precommit', height, round: 0, set, value };
  const seals = validatorsAt(sets, height).validators.map(({ member }) =>
    network.sign(body, member),
  );
  const commit = certify<Precommit>(body, seals);
  network.inject(3, 2, { kind: 'decision', commit, batch });
}

const rosterIn = ({ voters, learners, seats, left, settled }: Roster): string =>
  `voters ${voters.join()} learners ${learners.join()} seats ${seats.length} ` +
  `left ${left.join()} settled ${settled}`;

/** What a client asks for, in words and in bytes. */
type Change = readonly [words: string, configuration: Uint8Array];

/** Each change is decided, and then so much that its set votes. */
function tell(sheet: Sheet, options: Partial<TendermintOptions>, changes: readonly Change[]): void {
  const network = make({ checkpointEvery: 128, ...options });
  const run = new Transcript(network, names, sheet, [2]);
  const note = (words: string): void => {
    const roster = network.seat(2).machine.roster?.();
    run.note(roster === undefined ? words : `${words}; ${rosterIn(roster)}`);
  };
  for (const [i, [words, configuration]] of changes.entries()) {
    note(words);
    decide(network, [changeRequestOf(1, i, configuration)]);
    note('decided');
    decide(network, []);
  }
  run.holdings(2);
}

const step = (server: number, becomes: Step['becomes'], more: Partial<Step> = {}): Change => [
  `${server} becomes ${becomes}${more.weight === undefined ? '' : ` of weight ${more.weight}`}` +
    `${more.about === undefined ? '' : ', who is told of'}`,
  encodeStep({ server, becomes, ...more }),
];

const list = (...weights: readonly (readonly [member: number, weight: number])[]): Change => [
  `all validators: ${weights.map((each) => each.join(' weighs ')).join(', ')}`,
  encodeValidators(weights.map(([member, weight]) => ({ member, weight }))),
];

const about = Uint8Array.of(7, 7);

kept('steps', 'steps: who comes, who leaves, who only learns, and who is that already', (sheet) => {
  const changes: readonly Change[] = [
    step(4, 'voter'),
    step(4, 'voter'),
    step(4, 'voter', { weight: 2 }),
    step(4, 'voter', { weight: 3 }),
    step(4, 'voter', { weight: 1 }),
    step(3, 'learner'),
    step(3, 'learner'),
    step(3, 'none'),
    step(3, 'none'),
    step(0, 'none'),
    step(3, 'learner'),
    step(3, 'voter'),
    step(0, 'none'),
    step(5, 'learner'),
    step(5, 'learner', { about }),
    step(5, 'learner', { about }),
    step(5, 'voter'),
    step(1, 'none'),
    step(0, 'learner'),
    step(6, 'voter', { about }),
    step(7, 'voter', { about }),
    step(2, 'none'),
    step(6, 'none'),
    step(5, 'voter', { about: Uint8Array.of(8) }),
  ];
  tell(sheet, { n: 5, f: 1, seats: 7, initialMembers: '0,1,2,3' }, changes);
});

kept(
  'lists',
  'lists of all validators: what no group may have, and moves of a third and of more',
  (sheet) => {
    const one = (...members: readonly number[]): Change =>
      list(...members.map((member) => [member, 1] as const));
    const changes: readonly Change[] = [
      ['nobody', Uint8Array.of(0)],
      ['what nobody can read', Uint8Array.of(9, 9, 9)],
      one(0, 1, 2, 3, 4, 5, 6),
      one(0, 1, 2, 3, 7),
      one(0, 1, 2, 3, 4),
      one(0, 1, 2, 3),
      one(0, 1, 2),
      ['descending', Uint8Array.of(4, 3, 1, 2, 1, 1, 1, 0, 1)],
      ['one twice', Uint8Array.of(4, 0, 1, 1, 1, 1, 1, 2, 1)],
      ['of weight 0', Uint8Array.of(4, 0, 1, 1, 1, 2, 1, 3, 0)],
      list([0, 2], [1, 2], [2, 2], [3, 2]),
      list([0, 1], [1, 1], [2, 1], [3, 1]),
      list([0, 1], [1, 1], [2, 1], [3, 1], [4, 1], [5, 1]),
      list([0, 1], [1, 1], [2, 1], [3, 1]),
      list([1, 1], [2, 1], [3, 1], [6, 1]),
      list([1, 2], [2, 1], [3, 1], [6, 1]),
      list([1, 33_333], [2, 33_333], [3, 33_333], [6, 33_333]),
    ];
    tell(sheet, { n: 7, f: 1, initialMembers: '0,1,2,3' }, changes);
  },
);

kept(
  'weights-refused',
  'weights by which clients would believe liars, or too few would be left, are refused',
  (sheet) => {
    const changes: readonly Change[] = [
      list([0, 3], [1, 3], [2, 3], [3, 3], [4, 3], [5, 1]),
      list([0, 3], [1, 3], [2, 3], [3, 3], [4, 3], [5, 2]),
      list([0, 2], [1, 3], [2, 3], [3, 3], [4, 3], [5, 3]),
      step(5, 'none'),
      step(4, 'none'),
      step(3, 'none'),
    ];
    const weights = '3,3,3,3,3,3';
    tell(sheet, { n: 6, f: 1, weights }, changes);
  },
);

kept('by-hand', 'quorums that were set by hand stay what they are', (sheet) => {
  const changes: readonly Change[] = [
    step(3, 'none'),
    list([0, 1], [1, 1], [2, 1], [3, 1]),
    list([0, 1], [1, 1], [2, 1], [3, 2]),
    list([0, 1], [1, 1], [2, 1], [4, 1]),
    step(4, 'none'),
    step(4, 'learner'),
  ];
  tell(sheet, { n: 5, f: 1, quorum: 3, initialMembers: '0,1,2,3' }, changes);
});

kept('unsafe', 'an unsafe group may become as small as it likes', (sheet) => {
  tell(sheet, { n: 4, f: 1, unsafe: true }, [step(3, 'none'), step(0, 'none')]);
});

kept(
  'operators',
  'a change counts if it is alone, asked for by an operator, and for the first time',
  (sheet) => {
    const operator = firstClient + 1;
    const network = make({ n: 5, f: 1, operators: `${operator}, ${firstClient + 3}` });
    const run = new Transcript(network, names, sheet, [2]);
    const [, leave] = step(4, 'none');
    const [, come] = step(4, 'voter');
    run.note('of a stranger');
    decide(network, [changeRequestOf(2, 1, leave)]);
    run.note('beside other requests, an operator’s and a stranger’s');
    decide(network, [requestOf(2, 2), changeRequestOf(1, 1, leave)]);
    decide(network, [changeRequestOf(2, 3, leave), requestOf(1, 2)]);
    run.note('alone; again; and by another operator under the same number');
    decide(network, [changeRequestOf(1, 3, leave)]);
    decide(network, [changeRequestOf(1, 3, leave)]);
    decide(network, [changeRequestOf(3, 3, come)]);
    decide(network, []);
    decide(network, [changeRequestOf(1, 3, leave)]);
    decide(network, [changeRequestOf(3, 3, leave)]);
    run.note('two at heights that follow each other, of which the second one knows the first');
    decide(network, [changeRequestOf(1, 4, leave)]);
    decide(network, [changeRequestOf(1, 5, come)]);
    decide(network, []);
    decide(network, []);
    run.holdings(2);
  },
);
