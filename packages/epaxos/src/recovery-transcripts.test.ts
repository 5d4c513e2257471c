/**
 * Rules 7 to 12 at the replica that recovers, told word for word in `test/runs`: what it
 * makes of each answer. After a wanted change run this file with `UPDATE_RUNS=1`, and read what has
 * changed.
 */
import * as files from 'node:fs';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { proposal, valueWith } from '../test/messages.ts';
import { type Scene, type Told, tell } from '../test/told.ts';
import type { Commit, RecoverOk, Runs, ValidateOk } from './index.ts';

/** Instances of one command leader each. */
const set = (...ids: readonly number[]): Runs => ids.map((from) => ({ from, count: 1 }));
const ballot = 8;
const about = { ballot, instance: 0 };

/** Replica 1 of seven has pre-accepted x of replica 0, and hears no more: it recovers it. */
function begin({ group, wait, lose }: Told, dependencies: Runs = []): void {
  group.inject(0, 1, { kind: 'pre-accept', ...proposal(0, 'x', dependencies) });
  wait(1, 'tick', 300_000);
  wait(1, 'tick', 300_000);
  lose();
}

/** The same, told elsewhere. */
const begun = (run: Told, dependencies: Runs = []): void =>
  run.quietly(() => begin(run, dependencies));

/** What `from` answers: it has pre-accepted x as it was proposed, unless told otherwise. */
const answer = ({ group }: Told, from: number, more: Partial<RecoverOk> = {}): void =>
  group.inject(from, 1, {
    kind: 'recover-ok',
    ...about,
    accepted: 0,
    phase: 'pre-accepted',
    checkpoints: 0,
    value: valueWith('x'),
    dependencies: [],
    initial: [],
    ...more,
  });

const initial = { phase: 'initial', value: null, initial: null } as const;
const changed = { dependencies: set(2) };

const obstacles = ({ group }: Told, from: number, named: ValidateOk['obstacles']): void =>
  group.inject(from, 1, { kind: 'validate-ok', ...about, obstacles: named });

const committed = ({ group }: Told, instance: number, more: Partial<Commit> = {}): void =>
  group.inject(instance % 7, 1, {
    kind: 'commit',
    ballot: 0,
    ...proposal(instance, `o${instance}`),
    ...more,
  });

const scene = (title: string, script: (run: Told) => void): Scene => ({
  title,
  options: { n: 7 },
  of: [1],
  script,
});

/** Replicas 2, 3 and 4 answer: with replica 1 they are the recovery quorum. */
function unsure(run: Told, unchanged: number): void {
  begun(run);
  // Its own is one of them.
  for (const from of [2, 3, 4]) answer(run, from, from < unchanged + 1 ? {} : initial);
}

const chooses: readonly Scene[] = [
  scene('Nobody else knows it: with two crashes it was not committed on the fast path', (run) => {
    begin(run);
    answer(run, 2, initial);
    answer(run, 3, initial);
    run.knows(1, 'driven', 'heard', 'unresolved');
    answer(run, 4, initial);
    run.knows(1, 'driven', 'heard', 'unresolved');
    for (const from of [2, 3]) run.group.inject(from, 1, { kind: 'accept-ok', ...about });
    run.group.inject(3, 1, { kind: 'accept-ok', ...about });
    run.group.inject(4, 1, { kind: 'accept-ok', ...about });
    run.knows(1, 'driven', 'unresolved', 'executed', 'slot');
  }),
  scene('Others have it with more dependencies: the same', (run) => {
    begun(run);
    for (const from of [2, 3, 4]) answer(run, from, changed);
  }),
  scene('It had more dependencies here, and as it was proposed elsewhere', (run) => {
    run.group.inject(2, 1, { kind: 'pre-accept', ...proposal(2, 'w') });
    begun(run);
    for (const from of [2, 3, 4]) answer(run, from, from < 4 ? {} : initial);
  }),
  scene('Its command leader answers: it goes no further, so nothing was committed', (run) => {
    begun(run);
    for (const from of [2, 0, 3]) answer(run, from);
  }),
  scene('One has accepted it: that is accepted again', (run) => {
    begun(run);
    answer(run, 2);
    answer(run, 3, { phase: 'accepted', dependencies: set(2, 4), checkpoints: 0 });
    answer(run, 0);
  }),
  scene('Two have accepted different things: that of the higher ballot counts', (run) => {
    begun(run);
    answer(run, 2, { phase: 'accepted', dependencies: set(2) });
    answer(run, 3, { phase: 'accepted', accepted: 5, dependencies: set(4) });
    answer(run, 4, { phase: 'accepted', accepted: 3, value: null, dependencies: set(6) });
    run.group.inject(3, 1, { kind: 'accept-ok', ...about });
    run.group.inject(4, 1, { kind: 'accept-ok', ...about });
    run.group.inject(6, 1, { kind: 'accept-ok', ...about });
    run.knows(1, 'instances', 'blocked');
  }),
  scene('What was accepted is a no-op, of which no value is told', (run) => {
    begun(run);
    answer(run, 2);
    answer(run, 3, { phase: 'accepted', accepted: 5, value: null, initial: null });
    answer(run, 4);
  }),
  scene('Its command leader had executed more: the checkpoints that were told are kept', (run) => {
    begun(run);
    answer(run, 2, { ...initial, checkpoints: 2 });
    answer(run, 3, { phase: 'accepted', checkpoints: 1 });
    answer(run, 4, { ...initial, checkpoints: 0 });
  }),
  scene('Answers that count for nothing', (run) => {
    const { group, say } = run;
    begun(run);
    say('Of another ballot, of another instance, of itself, of a stranger.');
    answer(run, 2, { ballot: 1 });
    answer(run, 2, { ballot: 15 });
    answer(run, 2, { instance: 7 });
    answer(run, 1);
    answer(run, 7);
    say('With more dependencies than there can be: they are not looked at.');
    const most = [{ from: 0, count: 2 ** 17 }];
    answer(run, 2, { dependencies: [...most, { from: 1, count: 1 }] });
    answer(run, 2, { initial: [...most, { from: 1, count: 1 }] });
    say('One of them twice.');
    answer(run, 3, initial);
    answer(run, 3);
    say('Answers to questions that were not asked yet.');
    obstacles(run, 3, []);
    group.inject(3, 1, { kind: 'accept-ok', ...about });
    group.inject(3, 1, { kind: 'pre-accept-ok', instance: 0, dependencies: [] });
    run.knows(1, 'driven');
    say('With as many dependencies as there can be it counts.');
    answer(run, 2, { ...initial, dependencies: most });
    answer(run, 4, initial);
  }),
];

const validates: readonly Scene[] = [
  scene('Two have it as it was proposed: it may have been committed. Nobody objects', (run) => {
    unsure(run, 2);
    run.knows(1, 'driven', 'instances', 'unresolved');
    obstacles(run, 2, []);
    obstacles(run, 3, []);
    run.say('One twice, one of another ballot, two from outside of the quorum.');
    obstacles(run, 3, []);
    run.group.inject(4, 1, { kind: 'validate-ok', ballot: 15, instance: 0, obstacles: [] });
    obstacles(run, 5, []);
    obstacles(run, 1, []);
    run.knows(1, 'driven');
    obstacles(run, 4, []);
    run.say('A late answer about what is no longer asked.');
    obstacles(run, 4, [{ instance: 6, isCommitted: true }]);
  }),
  scene('One names a command that was committed without it: no-op', (run) => {
    unsure(run, 3);
    for (const from of [2, 3]) obstacles(run, from, []);
    obstacles(run, 4, [{ instance: 2, isCommitted: true }]);
  }),
  scene('Two had it, and an obstacle is led from outside of the quorum: no-op', (run) => {
    unsure(run, 2);
    for (const from of [2, 3]) obstacles(run, from, []);
    obstacles(run, 4, [{ instance: 6, isCommitted: false }]);
  }),
  scene('Two had it, and an obstacle is led from within the quorum: wait', (run) => {
    unsure(run, 2);
    for (const from of [2, 3]) obstacles(run, from, [{ instance: 2, isCommitted: false }]);
    obstacles(run, 4, [
      { instance: 10, isCommitted: false },
      { instance: 2, isCommitted: false },
    ]);
    run.knows(1, 'driven', 'unresolved');
  }),
  scene('Three had it, and an obstacle is led from outside of the quorum: wait', (run) => {
    unsure(run, 3);
    for (const from of [2, 3]) obstacles(run, from, []);
    obstacles(run, 4, [{ instance: 6, isCommitted: false }]);
  }),
  scene('What this replica knows is named, too', (run) => {
    run.group.inject(2, 1, { kind: 'pre-accept', ...proposal(2, 'known') });
    run.group.inject(4, 1, { kind: 'pre-accept', ...proposal(4, 'after', set(0)) });
    run.group.inject(3, 1, { kind: 'accept', ballot: 0, ...proposal(3, 'no first proposal') });
    committed(run, 5, { dependencies: set(0) });
    run.group.inject(6, 1, {
      kind: 'commit',
      ballot: 0,
      ...proposal(6, ''),
      value: { kind: 'no-op', commands: [] },
    });
    begun(run, set(2));
    for (const from of [2, 3, 4]) answer(run, from, { dependencies: set(2), initial: set(2) });
    run.knows(1, 'driven');
  }),
  scene('It knows one that was committed without it, and names that first', (run) => {
    run.group.inject(2, 1, { kind: 'pre-accept', ...proposal(2, 'open') });
    committed(run, 5);
    begun(run);
    for (const from of [2, 3, 4]) answer(run, from);
    run.knows(1, 'driven');
    for (const from of [2, 3, 4]) obstacles(run, from, []);
  }),
];

/** It waits for instance 2, and for instance 6 of a command leader outside of the quorum. */
function waiting(run: Told): void {
  unsure(run, 3);
  for (const from of [2, 3]) obstacles(run, from, [{ instance: 2, isCommitted: false }]);
  obstacles(run, 4, [{ instance: 6, isCommitted: false }]);
}

const hushed = (title: string, script: (run: Told) => void): Scene =>
  scene(title, (run) => {
    run.quietly(() => waiting(run));
    script(run);
  });

const waits: readonly Scene[] = [
  scene('It tells all others that it waits, and how many had it as it was proposed', (run) => {
    waiting(run);
    run.knows(1, 'driven', 'unresolved');
  }),
  hushed('Both obstacles are committed and come after it: it is accepted', (run) => {
    committed(run, 2, { dependencies: set(0) });
    committed(run, 6, { dependencies: set(2, 0) });
  }),
  hushed('One is a no-op, the other comes after it: it is accepted', (run) => {
    committed(run, 6, { dependencies: set(0) });
    committed(run, 2, { value: { kind: 'no-op', commands: [] } });
  }),
  hushed('One is committed without it: no-op, whatever the other one says', (run) => {
    committed(run, 6);
  }),
  hushed('One that depends on something else only is committed without it', (run) => {
    committed(run, 2, { dependencies: set(6, 3) });
  }),
  hushed('Another replica waits for one of them, of which three had been unchanged', (run) => {
    const { group, say, knows } = run;
    say('Two do not decide it: n-f-e.');
    group.inject(5, 1, { kind: 'waiting', instance: 6, count: 2 });
    say('Nor do three of an instance that is no obstacle.');
    group.inject(5, 1, { kind: 'waiting', instance: 3, count: 3 });
    say('A smaller number does not take the place of a larger one.');
    group.inject(5, 1, { kind: 'waiting', instance: 6, count: 1 });
    knows(1, 'waitingFor');
    group.inject(5, 1, { kind: 'waiting', instance: 6, count: 3 });
  }),
  hushed('A late answer: somebody outside of the quorum has accepted something', (run) => {
    run.say('One that knows nothing, or had pre-accepted it, changes nothing.');
    answer(run, 5, initial);
    answer(run, 5, { phase: 'accepted', dependencies: set(3) });
    answer(run, 6, { phase: 'accepted', dependencies: set(3) });
  }),
  hushed('A late answer: a no-op was accepted', (run) => {
    answer(run, 6, { phase: 'accepted', accepted: 5, value: null });
  }),
  hushed('A late answer: its command leader has not committed it', (run) => {
    answer(run, 0, { phase: 'pre-accepted' });
  }),
  hushed('It is committed by another replica meanwhile', (run) => {
    committed(run, 0, { ballot: 15, value: valueWith('x') });
    run.knows(1, 'driven', 'waitingFor', 'unresolved', 'heard');
    committed(run, 2);
  }),
];

const refused: readonly Scene[] = [
  scene('A higher ballot was joined elsewhere: it gives up, and later goes above it', (run) => {
    const { group, say, knows, wait } = run;
    begun(run);
    say('Words that are not about this ballot, or not of a higher one.');
    group.inject(2, 1, { kind: 'nack', ballot: 1, instance: 0, joined: 17 });
    group.inject(2, 1, { kind: 'nack', ...about, joined: 8 });
    group.inject(2, 1, { kind: 'nack', ballot, instance: 7, joined: 17 });
    knows(1, 'driven');
    group.now += 1_000;
    group.inject(2, 1, { kind: 'nack', ...about, joined: 17 });
    knows(1, 'driven', 'unresolved', 'heard');
    say('A recovery timeout later it tries again.');
    wait(1, 'tick', 299_999);
    wait(1, 'tick', 1);
  }),
  scene('There is no ballot above the highest one', (run) => {
    const { group, say, wait } = run;
    begun(run);
    say('One alone is not believed; of two one is.');
    for (const from of [2, 3])
      group.inject(from, 1, { kind: 'nack', ...about, joined: Number.MAX_SAFE_INTEGER });
    wait(1, 'tick', 300_000);
    wait(1, 'tick', 300_000);
  }),
];

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);

test.each([
  ['recovery-choices', chooses],
  ['recovery-validation', validates],
  ['recovery-waiting', waits],
  ['recovery-refused', refused],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
