/**
 * What a replica goes on with after a crash, with its disk and without; told word for word in
 * `test/runs`. After a wanted change run this file with `UPDATE_RUNS=1`, and read what has
 * changed.
 */
import * as files from 'node:fs';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { proposal } from '../test/messages.ts';
import { type Scene, type Told, tell } from '../test/told.ts';
import type { Runs } from './index.ts';

const options = { n: 3, maxCommandsPerInstance: 1 };
const set = (...ids: readonly number[]): Runs => ids.map((from) => ({ from, count: 1 }));
const noOp = { value: { kind: 'no-op', commands: [] } } as const;

function restart({ group, lose }: Told, id: number, disk?: 'lost'): void {
  lose();
  group.crash(id);
  group.restart(id, disk);
}

const kept = (title: string, script: (run: Told) => void): Scene => ({
  title,
  options,
  of: [1],
  script: (run) => {
    run.quietly(() => script(run));
    restart(run, 1);
    run.knows(1, 'own', 'driven', 'unresolved', 'nextOwn', 'executed', 'blocked', 'heard');
  },
});

const restarts: readonly Scene[] = [
  kept('Nothing was known', () => undefined),
  kept('What it had proposed it proposes again, as it was', ({ group, deliver, lose }) => {
    group.propose(1, 'x');
    lose();
    group.inject(0, 1, { kind: 'pre-accept', ...proposal(0, 'y') });
    group.propose(1, 'z');
    deliver({ kind: 'pre-accept', to: 0 });
  }),
  kept('What it had others accept it has them accept again', ({ group, deliver, wait }) => {
    group.propose(2, 'w');
    deliver({ kind: 'pre-accept', to: 0 });
    group.propose(1, 'x');
    deliver({ kind: 'pre-accept', from: 1, to: 0 });
    deliver({ kind: 'pre-accept-ok', to: 1 });
    wait(1, 'grace');
  }),
  kept('What another has taken over it leaves to the other', ({ group }) => {
    group.propose(1, 'x');
    group.inject(2, 1, { kind: 'recover', ballot: 5, instance: 1, checkpoints: 0 });
    group.propose(1, 'y');
    group.inject(2, 1, { kind: 'accept', ballot: 5, ...proposal(4, 'y') });
  }),
  kept('What is committed and waits is its own until it is executed', ({ group }) => {
    group.propose(1, 'x');
    group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(1, 'x', set(0)) });
  }),
  kept('What came to nothing is not proposed again: its client asks again', ({ group }) => {
    group.propose(1, 'x');
    group.inject(2, 1, { kind: 'commit', ballot: 5, ...proposal(1, ''), ...noOp });
  }),
  kept('What others lead it watches, and executes what is committed', ({ group }) => {
    group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(3, 'b', set(0)) });
    group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(0, 'a') });
    group.inject(2, 1, { kind: 'commit', ballot: 7, ...proposal(6, 'd', set(9)) });
    group.inject(2, 1, { kind: 'accept', ballot: 8, ...proposal(9, 'c') });
    group.inject(2, 1, { kind: 'recover', ballot: 5, instance: 2, checkpoints: 0 });
  }),
];

const rejoins: readonly Scene[] = [
  {
    title: 'Without its disk a replica asks all others what is open, and waits until it is settled',
    options,
    of: [1],
    script: (run) => {
      const { group, quietly, say, knows, wait, copy, deliver, settle, lose } = run;
      quietly(() => {
        group.propose(1, 'x');
        settle();
        group.propose(0, 'y');
        deliver({ kind: 'pre-accept', to: 1 });
        lose();
        group.inject(1, 2, { kind: 'commit', ballot: 0, ...proposal(3, 'z', set(1)) });
      });
      restart(run, 1, 'lost');
      say('It says nothing about instances, and takes no commands.');
      group.propose(1, 'later');
      group.inject(0, 1, { kind: 'pre-accept', ...proposal(9, 'w') });
      group.inject(0, 1, { kind: 'accept', ballot: 0, ...proposal(9, 'w') });
      group.inject(0, 1, { kind: 'recover', ballot: 3, instance: 0, checkpoints: 0 });
      group.inject(0, 1, { kind: 'validate', ballot: 3, ...proposal(0, 'w') });
      group.inject(0, 1, { kind: 'recall', attempt: 4 });
      say('It asks again who has not answered, after a recovery timeout.');
      quietly(() => deliver({ kind: 'recall', to: 0 }));
      deliver({ kind: 'recalled' });
      knows(1, 'recalled', 'open', 'attempt');
      lose();
      wait(1, 'recall');
      say('Answers that do not count: to another question, of a stranger, a second one, a lie.');
      const recalled = {
        kind: 'recalled',
        attempt: 1,
        next: 90,
        checkpoints: 0,
        open: [],
      } as const;
      group.inject(2, 1, { ...recalled, attempt: 0 });
      group.inject(3, 1, recalled);
      group.inject(1, 1, recalled);
      group.inject(0, 1, recalled);
      const huge = [
        { from: 0, count: 2 ** 17 },
        { from: 1, count: 1 },
      ];
      group.inject(2, 1, { ...recalled, open: huge });
      knows(1, 'recalled', 'open');
      say('All have answered; what was open has to be settled now. It asks for that.');
      quietly(() => deliver({ kind: 'recall', to: 2 }));
      copy({ kind: 'recalled' });
      knows(1, 'recalled', 'open', 'executed');
      lose();
      wait(1, 'tick', 300_000);
      quietly(() => deliver({ kind: 'ask' }));
      deliver({ kind: 'commit' });
      say('One of them comes to nothing, and it takes part again.');
      group.inject(2, 1, { kind: 'commit', ballot: 5, ...proposal(0, ''), ...noOp });
      knows(1, 'role', 'recalled', 'open', 'nextOwn', 'ownFloor', 'rejoining');
      group.propose(1, 'later');
      wait(1, 'recall', 300_000);
      say('The numbers that it may have used before stay unused after another crash.');
      restart(run, 1);
      knows(1, 'nextOwn');
    },
  },
  {
    title: 'It crashes once more before: it asks anew',
    options,
    of: [1],
    script: (run) => {
      const { group, quietly, knows, settle } = run;
      quietly(() => {
        group.propose(0, 'x');
        settle();
        restart(run, 1, 'lost');
        group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(0, 'x') });
      });
      restart(run, 1);
      knows(1, 'attempt', 'recalled', 'open', 'executed', 'nextOwn');
      settle();
      knows(1, 'nextOwn');
    },
  },
  {
    title: 'Who is asked tells what is not settled; once in half a recovery timeout',
    options,
    of: [2],
    script: (run) => {
      const { group, quietly, say } = run;
      quietly(() => {
        group.inject(0, 2, { kind: 'pre-accept', ...proposal(3, 'open') });
        group.inject(0, 2, { kind: 'commit', ballot: 0, ...proposal(0, 'done') });
        group.inject(0, 2, { kind: 'commit', ballot: 0, ...proposal(6, 'waits', set(3)) });
        group.inject(0, 2, { kind: 'commit', ballot: 0, ...proposal(9, ''), ...noOp });
        group.inject(0, 2, { kind: 'accept', ballot: 0, ...proposal(12, 'open') });
      });
      group.now = 1_000;
      group.inject(1, 2, { kind: 'recall', attempt: 7 });
      group.now = 150_999;
      group.inject(1, 2, { kind: 'recall', attempt: 8 });
      group.inject(0, 2, { kind: 'recall', attempt: 3 });
      group.now = 151_000;
      group.inject(1, 2, { kind: 'recall', attempt: 8 });
      group.inject(3, 2, { kind: 'recall', attempt: 8 });
      group.inject(2, 2, { kind: 'recall', attempt: 8 });
      say('An own number that was not used yet counts as well.');
      quietly(() => group.inject(0, 2, { kind: 'commit', ballot: 0, ...proposal(40, 'x') }));
      group.now = 400_000;
      group.inject(1, 2, { kind: 'recall', attempt: 9 });
    },
  },
  {
    title: 'A group of one cannot know what it has committed: it waits for somebody who looks',
    options: { n: 1 },
    script: (run) => {
      run.quietly(() => run.group.propose(0, 'x'));
      restart(run, 0, 'lost');
      run.wait(0, 'recall');
    },
  },
];

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);

test.each([
  ['restarts', restarts],
  ['rejoins', rejoins],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
