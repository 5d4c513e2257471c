/**
 * What a replica says again, asks for and gives up, and when; told word for word in
 * `test/runs`. After a wanted change run this file with `UPDATE_RUNS=1`, and read what has
 * changed.
 */
import * as files from 'node:fs';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { proposal, valueWith } from '../test/messages.ts';
import { type Scene, type Told, tell } from '../test/told.ts';
import type { RecoverOk } from './index.ts';

const options = { n: 5 };
const scene = (title: string, id: number, script: (run: Told) => void): Scene => ({
  title,
  options,
  of: [id],
  script,
});

/** What `from` answers to replica 1 that recovers instance 0 in ballot 6. */
const answer = ({ group }: Told, from: number, more: Partial<RecoverOk> = {}): void =>
  group.inject(from, 1, {
    kind: 'recover-ok',
    ballot: 6,
    instance: 0,
    accepted: 0,
    phase: 'initial',
    checkpoints: 0,
    value: null,
    dependencies: [],
    initial: null,
    ...more,
  });

/** Replica 1 of five has pre-accepted x of replica 0, and recovers it from 600 ms on. */
function recovering(run: Told): void {
  run.quietly(() => {
    run.group.inject(0, 1, { kind: 'pre-accept', ...proposal(0, 'x') });
    run.wait(1, 'tick', 300_000);
    run.wait(1, 'tick', 300_000);
  });
}

const repeats: readonly Scene[] = [
  scene('Half a recovery timeout after its last word a command leader repeats it', 0, (run) => {
    const { group, wait, deliver, lose } = run;
    group.propose(0, 'x');
    deliver({ kind: 'pre-accept', to: 3 });
    lose({ kind: 'pre-accept' });
    deliver({ kind: 'pre-accept-ok' });
    wait(0, 'tick', 149_999);
    wait(0, 'tick', 1);
    lose();
    wait(0, 'tick', 149_999);
    run.say('However long it takes: nobody else knows of it.');
    wait(0, 'tick', 3_000_000);
    run.knows(0, 'driven', 'unresolved');
  }),
  scene('What is to be accepted is told again to those who have not said so', 0, (run) => {
    const { group, wait, deliver, lose } = run;
    run.quietly(() => {
      group.propose(4, 'w');
      deliver({ kind: 'pre-accept', to: [1, 2, 3] });
      lose();
      group.propose(0, 'x');
      deliver({ kind: 'pre-accept', to: [1, 2, 3] });
      deliver({ kind: 'pre-accept-ok' });
      deliver({ kind: 'accept', to: 2 });
      deliver({ kind: 'accept-ok' });
    });
    wait(0, 'tick', 149_999);
    wait(0, 'tick', 1);
    wait(0, 'tick', 3_000_000);
  }),
  scene('A recovery is told again, and after six recovery timeouts given up', 1, (run) => {
    const { wait, knows } = run;
    recovering(run);
    answer(run, 3);
    wait(1, 'tick', 149_999);
    wait(1, 'tick', 1);
    wait(1, 'tick', 1_650_000);
    knows(1, 'driven');
    wait(1, 'tick', 149_999);
    knows(1, 'driven', 'unresolved');
    run.say('And then begun again, in a higher ballot.');
    wait(1, 'tick', 1);
    knows(1, 'driven', 'unresolved');
  }),
  scene('A question about obstacles is asked again in the quorum', 1, (run) => {
    const { wait, group } = run;
    recovering(run);
    answer(run, 3);
    answer(run, 4);
    group.inject(4, 1, { kind: 'validate-ok', ballot: 6, instance: 0, obstacles: [] });
    wait(1, 'tick', 149_999);
    wait(1, 'tick', 1);
  }),
  scene('Who waits says so again, and asks those who have not told what they know', 1, (run) => {
    const { wait, group } = run;
    recovering(run);
    answer(run, 3, { phase: 'pre-accepted', value: valueWith('x'), initial: [] });
    answer(run, 4);
    const obstacles = [{ instance: 3, isCommitted: false }];
    group.inject(4, 1, { kind: 'validate-ok', ballot: 6, instance: 0, obstacles });
    group.inject(3, 1, { kind: 'validate-ok', ballot: 6, instance: 0, obstacles });
    answer(run, 2);
    wait(1, 'tick', 149_999);
    wait(1, 'tick', 1);
  }),
];

const asks: readonly Scene[] = [
  scene('A recovery timeout without news it asks, and after another one it recovers', 1, (run) => {
    const { group, wait, knows } = run;
    group.inject(0, 1, { kind: 'pre-accept', ...proposal(0, 'x') });
    group.inject(2, 1, { kind: 'progress', checkpoints: 0, committed: [{ from: 3, count: 2 }] });
    wait(1, 'tick', 299_999);
    wait(1, 'tick', 1);
    knows(1, 'unresolved');
    group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(3, 'y') });
    wait(1, 'tick', 299_999);
    wait(1, 'tick', 1);
    knows(1, 'unresolved', 'driven');
  }),
  scene('The more often it has tried, the longer it lets others try', 1, (run) => {
    const { group, wait, knows, quietly } = run;
    quietly(() => {
      group.inject(0, 1, { kind: 'pre-accept', ...proposal(0, 'x') });
      wait(1, 'tick', 300_000);
    });
    let ballot = 0;
    for (let i = 0; i < 10; i++) {
      wait(1, 'tick', i === 0 ? 300_000 : 300_000 + Math.min(i, 8) * 150_000);
      knows(1, 'unresolved');
      ballot += 10;
      const accepted = { ballot: ballot + 2, ...proposal(0, 'x') };
      quietly(() => group.inject(2, 1, { kind: 'accept', ...accepted }));
      quietly(() => wait(1, 'tick', 0));
    }
    run.say('One microsecond less than that it does not begin.');
    wait(1, 'tick', 1_499_999);
    wait(1, 'tick', 1);
  }),
  scene(
    'What others have, in questions of at most 1,024, and recoveries of 64 at a time',
    1,
    (run) => {
      const { group, wait } = run;
      group.inject(2, 1, {
        kind: 'progress',
        checkpoints: 0,
        committed: [{ from: 0, count: 1_100 }],
      });
      wait(1, 'tick', 300_000);
      const begun = (): readonly number[] => {
        run.quietly(() => wait(1, 'tick', 300_000));
        const { driven, unresolved } = group.view(1);
        return [driven.size, unresolved.size];
      };
      expect([begun(), begun()]).toEqual([
        [64, 1_100],
        [128, 1_100],
      ]);
    },
  ),
  scene('It tells what it knows to be committed', 1, (run) => {
    const { group, wait } = run;
    for (const id of [0, 5, 15, 3, 8, 7])
      run.quietly(() =>
        group.inject(2, 1, { kind: 'commit', ballot: 0, ...proposal(id, `${id}`) }),
      );
    run.quietly(() => group.inject(2, 1, { kind: 'pre-accept', ...proposal(2, 'open') }));
    wait(1, 'tick', 1);
  }),
];

const answers: readonly Scene[] = [
  scene('Who asks is told what is committed here, and of nothing else', 1, (run) => {
    const { group } = run;
    run.quietly(() => {
      group.inject(2, 1, {
        kind: 'commit',
        ballot: 7,
        ...proposal(0, 'x', [{ from: 3, count: 1 }]),
      });
      group.inject(2, 1, {
        kind: 'commit',
        ballot: 2,
        ...proposal(5, ''),
        value: { kind: 'no-op', commands: [] },
      });
      group.inject(2, 1, { kind: 'pre-accept', ...proposal(2, 'open') });
    });
    group.inject(4, 1, { kind: 'ask', checkpoints: 0, instances: [0, 2, 5, 10] });
    group.inject(4, 1, { kind: 'ask', checkpoints: 0, instances: [] });
    run.say('It asks whoever has more.');
    const committed = [
      { from: 0, count: 3 },
      { from: 3, count: 1 },
    ];
    group.inject(4, 1, { kind: 'progress', checkpoints: 0, committed });
    group.inject(4, 1, { kind: 'progress', checkpoints: 0, committed: [{ from: 0, count: 2 }] });
    group.inject(4, 1, { kind: 'progress', checkpoints: 1, committed: [] });
    group.inject(4, 1, { kind: 'progress', checkpoints: 2, committed: [] });
    run.knows(1, 'unresolved');
  }),
  scene('What its leader had executed before it is not known here: it asks for that', 1, (run) => {
    const { group } = run;
    group.inject(0, 1, { kind: 'pre-accept', ...proposal(0, 'x'), checkpoints: 1 });
    group.inject(3, 1, { kind: 'validate', ballot: 8, ...proposal(0, 'x'), checkpoints: 1 });
    group.inject(3, 1, { kind: 'accept', ballot: 8, ...proposal(0, 'x'), checkpoints: 1 });
    run.knows(1, 'instances');
  }),
  scene('The same in a recovery of its own: it gives up until it knows', 1, (run) => {
    recovering(run);
    const known = { phase: 'pre-accepted', value: valueWith('x'), initial: [], checkpoints: 1 };
    run.quietly(() => run.group.inject(0, 1, { kind: 'pre-accept', ...proposal(5, 'y') }));
    answer(run, 3);
    run.knows(1, 'driven');
    answer(run, 4, { ...known, phase: 'initial' });
    run.knows(1, 'driven');
    run.say('Here the first that had it as it was proposed had executed a checkpoint.');
    run.quietly(() => {
      run.group.inject(3, 1, {
        kind: 'progress',
        checkpoints: 0,
        committed: [{ from: 10, count: 1 }],
      });
      run.wait(1, 'tick', 300_000);
      run.wait(1, 'tick', 300_000);
    });
    for (const from of [2, 3]) answer(run, from, { ...known, phase: 'pre-accepted', instance: 10 });
    run.knows(1, 'driven');
  }),
];

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);

test.each([
  ['patience-repeats', repeats],
  ['patience-asks', asks],
  ['patience-answers', answers],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
