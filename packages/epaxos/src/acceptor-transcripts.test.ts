/**
 * What a replica makes of each message about an instance, in each state in which the instance may
 * be there; told word for word in `test/runs`. After a wanted change run this file with
 * `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { keeper, Sheet } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { proposal, valueWith } from '../test/messages.ts';
import { type Scene, type Told, tell } from '../test/told.ts';
import { type EpaxosMessage, epaxos } from './index.ts';

const n = 5;
const options = { n, snapshotEvery: 1 };
/** How many instances of each command leader a replica looks at before a checkpoint. */
const { window } = epaxos(options).group as { readonly window: number };
type Said = readonly [from: number, message: EpaxosMessage];

const noOp = { value: { kind: 'no-op', commands: [] } } as const;
const huge = [
  { from: 0, count: 2 ** 17 },
  { from: 1, count: 1 },
];

/** What replica 1 of five has heard of instance 0, which replica 0 leads. */
const states: Readonly<Record<string, readonly Said[]>> = {
  'nothing is known': [],
  'it is pre-accepted': [[0, { kind: 'pre-accept', ...proposal(0, 'x') }]],
  'it is accepted in ballot 0': [[0, { kind: 'accept', ballot: 0, ...proposal(0, 'x') }]],
  'ballot 8 of replica 3 was joined': [
    [0, { kind: 'pre-accept', ...proposal(0, 'x') }],
    [3, { kind: 'recover', ballot: 8, instance: 0, checkpoints: 0 }],
  ],
  'it is accepted in ballot 8': [[3, { kind: 'accept', ballot: 8, ...proposal(0, 'x') }]],
  'a no-op is accepted in ballot 8': [
    [0, { kind: 'pre-accept', ...proposal(0, 'x') }],
    [3, { kind: 'accept', ballot: 8, ...proposal(0, 'x'), ...noOp }],
  ],
  'it is committed': [[2, { kind: 'commit', ballot: 3, ...proposal(0, 'x') }]],
  'a no-op is committed': [[2, { kind: 'commit', ballot: 3, ...proposal(0, ''), ...noOp }]],
};

const accept = (from: number, ballot: number, more: object = {}): Said => [
  from,
  { kind: 'accept', ballot, ...proposal(0, 'x', [{ from: 2, count: 1 }]), ...more },
];
const recover = (from: number, ballot: number): Said => [
  from,
  { kind: 'recover', ballot, instance: 0, checkpoints: 0 },
];
const validate = (from: number, ballot: number, more: object = {}): Said => [
  from,
  { kind: 'validate', ballot, ...proposal(0, 'x', [{ from: 2, count: 1 }]), ...more },
];

const messages: readonly Said[] = [
  [0, { kind: 'pre-accept', ...proposal(0, 'x', [{ from: 2, count: 1 }]) }],
  accept(0, 0),
  accept(0, 0, noOp),
  accept(3, 3),
  accept(3, 8),
  accept(4, 9),
  recover(3, 3),
  recover(3, 8),
  recover(4, 9),
  validate(3, 8),
  validate(4, 9),
  [2, { kind: 'commit', ballot: 7, ...proposal(0, 'x', [{ from: 2, count: 1 }]) }],
  [2, { kind: 'waiting', instance: 0, count: 0 }],
  [2, { kind: 'progress', checkpoints: 0, committed: [{ from: 0, count: 1 }] }],
  [2, { kind: 'ask', checkpoints: 0, instances: [0, 5] }],
];

function hear(run: Told, heard: readonly Said[], [from, message]: Said): void {
  run.quietly(() => {
    for (const [before, earlier] of heard) run.group.inject(before, 1, earlier);
  });
  run.group.inject(from, 1, message);
}

/** Each message in a group of its own. */
const each = (title: string, heard: readonly Said[], said: readonly Said[]): readonly Scene[] =>
  said.map((message, i) => ({
    ...(i === 0 ? { title } : {}),
    options,
    of: [1],
    script: (run) => {
      hear(run, heard, message);
      run.knows(1, 'unresolved', 'waitingFor', 'heard', 'liveBytes');
    },
  }));

/** Messages that a member in its senses does not send: in all states they come to nothing. */
const wrong: readonly Said[] = [
  [2, { kind: 'pre-accept', ...proposal(0, 'x') }],
  [0, { kind: 'pre-accept', ...proposal(0, 'x'), ...noOp }],
  [0, { kind: 'pre-accept', ...proposal(0, 'x', huge) }],
  accept(2, 0),
  accept(4, 8),
  accept(0, 0, { dependencies: huge }),
  recover(0, 0),
  recover(4, 8),
  validate(0, 0),
  validate(4, 8),
  validate(4, 9, { dependencies: huge }),
  [2, { kind: 'commit', ballot: 0, ...proposal(0, 'x', huge) }],
  [2, { kind: 'progress', checkpoints: 0, committed: huge }],
  [2, { kind: 'recalled', attempt: 0, next: 9, checkpoints: 0, open: [] }],
];

/** At the edge of what is looked at, and beyond it. */
const at = (id: number): readonly Said[] => {
  const leader = id % n;
  const about = { instance: id, checkpoints: 0, value: valueWith('x'), dependencies: [] };
  return [
    [leader, { kind: 'pre-accept', ...about }],
    [leader, { kind: 'accept', ballot: 0, ...about }],
    [3, { kind: 'recover', ballot: 3, instance: id, checkpoints: 0 }],
    [3, { kind: 'accept', ballot: 3, ...about }],
    [2, { kind: 'commit', ballot: 0, ...about }],
    [2, { kind: 'waiting', instance: id, count: 0 }],
    [2, { kind: 'progress', checkpoints: 0, committed: [{ from: id, count: 1 }] }],
    [2, { kind: 'progress', checkpoints: 0, committed: [{ from: id - n, count: 2 }] }],
  ];
};

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);

test.each(Object.entries(states))('%s', (title, heard) => {
  const name = title.replace(/ /g, '-');
  const scenes = each(`Where ${title}`, heard, messages);
  expect(keep(`acceptor/${name}`, (sheet) => tell(scenes, sheet))).not.toBe('');
});

test.each(Object.entries(states))('nothing comes of a wrong message where %s', (_, heard) => {
  const sheet = new Sheet();
  tell(each('', heard, wrong), sheet);
  for (const line of sheet.text.split('\n'))
    expect(line).toMatch(/^(==.*|n1 .*| {2}(nothing|of no use to it.*)|)$/);
});

test('the window of instances', () => {
  const last = window * n - 1;
  const scenes = [
    ...each('The last instance of the window', [], at(last)),
    ...each('The first one beyond it', [], at(last + 1)),
  ];
  expect(keep('acceptor/window', (sheet) => tell(scenes, sheet))).not.toBe('');
});
