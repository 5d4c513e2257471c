/**
 * Phase 0, told word for word in `test/runs`. After a wanted
 * change run this file with `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { maxLeap } from '@quorumlab/core';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import {
  following,
  followsAgain,
  followsIn,
  leading,
  led,
  looking,
  says,
  sceneOf,
} from '../test/hands.ts';
import { type Scene, tell } from '../test/told.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
const options = { n: 3 };
const one = sceneOf(1);

const well: readonly Scene[] = [
  {
    title: 'Three members elect the first of them, which makes an epoch, and commit a command',
    options,
    script: ({ group, say, wait, deliver }) => {
      group.now = 30_000;
      for (const id of [0, 1, 2]) group.fire(id, 'election');
      deliver({ kind: 'notification' });
      say('What they nominate now is the same: nobody need wait for a better one.');
      deliver({ kind: 'notification' });
      for (const kind of [
        'cepoch',
        'newepoch',
        'ack-e',
        'newleader',
        'ack-ld',
        'commit-ld',
      ] as const)
        deliver({ kind });
      group.propose(0, 'x');
      for (const kind of ['propose', 'ack', 'commit'] as const) deliver({ kind });
      say('A sign of life, and its answers.');
      wait(0, 'ping', 30_000);
      deliver({ kind: 'ping' });
      deliver({ kind: 'ack' });
      say('A quorum has answered, so it goes on leading.');
      wait(0, 'quorum', 270_000);
    },
  },
  {
    title: 'Two of three wait for a moment of grace; who comes late follows whom they follow',
    options,
    script: ({ group, say, wait, deliver, quietly, settle }) => {
      wait(0, 'election', 30_000);
      wait(1, 'election', 1_000);
      deliver({ kind: 'notification', from: [0, 1], to: [0, 1] });
      deliver({ kind: 'notification', from: [0, 1], to: [0, 1] });
      wait(0, 'grace', 29_999);
      wait(1, 'grace', 1);
      quietly(() => settle({ from: [0, 1], to: [0, 1] }));
      say('The third one has missed all of it.');
      group.fire(2, 'election');
      deliver({ from: 2 });
      deliver({ to: 2 });
      deliver({ kind: 'cepoch' });
      deliver({ kind: 'newepoch' });
      deliver({ kind: 'ack-e' });
      deliver({ kind: 'newleader' });
      deliver({ kind: 'ack-ld' });
      deliver({ kind: 'commit-ld' });
    },
  },
  {
    title: 'One alone is a majority of one, at once',
    options: { n: 1 },
    script: ({ group, settle, wait }) => {
      wait(0, 'election', 30_000);
      settle();
      group.propose(0, 'x');
      settle();
      wait(0, 'ping', 30_000);
      wait(0, 'quorum', 300_000);
    },
  },
];

const votes: readonly Scene[] = [
  one('The later current epoch is better, then the later zxid, then the lower id', (run) => {
    const { say, lose, knows, quietly } = run;
    followsIn(run, 3, '1:a', '2:b');
    quietly(() => run.wait(1, 'election', 1_000_000));
    knows(1, 'round', 'vote', 'votes');
    const nominate = says(run, 2, 1);
    const round = 3;
    const worse = [looking(0, round, 1, '9.9'), looking(0, round, 2, '1.2')];
    say('Worse: an older current epoch, an older zxid; and as good, of a higher id.');
    nominate('notification', ...worse, looking(2, round, 2, '2.2'), looking(2, round, 2, '2.1'));
    lose();
    say('As good, and of a lower id.');
    nominate('notification', looking(0, round, 2, '2.2'));
    say('Each of these is better than the one before.');
    nominate('notification', looking(2, round, 2, '2.3'), looking(2, round, 2, '3.1'));
    nominate('notification', looking(2, round, 3, '0.0'), looking(0, round, 3, '0.0'));
    say('What was said before is said again: nothing comes of it.');
    nominate('notification', looking(0, round, 3, '0.0'));
    knows(1, 'vote', 'votes');
  }),
  one('A later round begins anew, with whom it would nominate itself', (run) => {
    const { say, knows } = run;
    run.quietly(() => run.wait(1, 'election', 40_000));
    says(run, 0, 1)('notification', looking(0, 1));
    says(run, 2, 1)('notification', { ...leading(2) });
    knows(1, 'votes', 'settled');
    say('Whom it nominated in the round before it no longer nominates.');
    says(run, 2, 1)('notification', looking(2, 3));
    knows(1, 'round', 'vote', 'votes', 'settled');
    say('But for one that is better than itself.');
    says(run, 2, 1)('notification', looking(2, 4, 1, '1.1'));
    knows(1, 'round', 'vote', 'votes');
    say('Nobody comes honestly to a round that is so far; to this one somebody may.');
    says(run, 2, 1)('notification', looking(2, 5 + maxLeap, 7, '7.7'));
    says(run, 2, 1)('notification', looking(2, 4 + maxLeap));
    knows(1, 'round');
  }),
  one('Who is in an older round is told, once in half a heartbeat', (run) => {
    const { group, say } = run;
    run.quietly(() => run.wait(1, 'election', 40_000));
    says(run, 2, 1)('notification', looking(2, 5));
    const late = looking(2, 4, 9, '9.9');
    group.now = 100_000;
    says(run, 2, 1)('notification', late);
    group.now = 114_999;
    says(run, 2, 1)('notification', late);
    group.now = 115_000;
    says(run, 2, 1)('notification', late);
    say('Others as well.');
    says(run, 0, 1)('notification', late);
  }),
  one(
    'Who has no vote is not heard, and not nominated',
    (run) => {
      const { say, knows, wait } = run;
      run.quietly(() => run.wait(1, 'election', 40_000));
      say('An observer, a stranger, the member itself, and a nomination of an observer.');
      for (const from of [3, 4, 9, 1]) says(run, from, 1)('notification', looking(0, 1, 5));
      says(run, 2, 1)('notification', looking(3, 1, 5), looking(4, 1, 5), looking(9, 1, 5));
      knows(1, 'vote', 'votes', 'settled');
      say('It looks on: it says again whom it nominates.');
      wait(1, 'election', 60_000);
      say('An observer hears no nominations.');
      wait(3, 'election', 60_000);
      says(run, 2, 3)('notification', looking(0, 1, 5));
      knows(3, 'vote', 'votes');
      say('It asks again, and follows whom voters say they follow.');
      wait(3, 'election', 60_000);
      says(run, 1, 3)('notification', following(0));
      says(run, 0, 3)('notification', leading(0));
    },
    { options: { n: 5, observers: 2 }, of: [1, 3] },
  ),
];

const settled: readonly Scene[] = [
  one(
    'It follows one that says that it leads, and that a majority follows',
    (run) => {
      const { say, knows, lose } = run;
      run.quietly(() => run.wait(1, 'election', 40_000));
      lose();
      says(run, 2, 1)('notification', following(3));
      says(run, 4, 1)('notification', following(3));
      knows(1, 'settled');
      say('That one itself still looks, or follows another.');
      says(run, 3, 1)('notification', looking(3, 1));
      says(run, 3, 1)('notification', following(4));
      say('Now it leads.');
      says(run, 3, 1)('notification', leading(3));
      knows(1, 'vote', 'leader', 'round');
    },
    { options: { n: 5 } },
  ),
  one(
    'Those that still look and nominate it count as well, itself among them',
    (run) => {
      const { knows, lose } = run;
      run.quietly(() => run.wait(1, 'election', 40_000));
      lose();
      says(run, 4, 1)('notification', following(0));
      says(run, 0, 1)('notification', looking(0, 1, 1, '1.1'));
      says(run, 0, 1)('notification', leading(0));
      knows(1, 'vote', 'leader');
    },
    { options: { n: 5 } },
  ),
  one(
    'Nobody follows itself, or an observer, or one of whom only observers speak',
    (run) => {
      const { knows } = run;
      run.quietly(() => run.wait(1, 'election', 40_000));
      says(run, 0, 1)('notification', following(1));
      says(run, 2, 1)('notification', following(1));
      says(run, 0, 1)('notification', following(3));
      says(run, 2, 1)('notification', following(3));
      says(run, 3, 1)('notification', leading(3));
      says(run, 4, 1)('notification', following(2));
      says(run, 9, 1)('notification', leading(2));
      says(run, 2, 1)('notification', leading(2));
      knows(1, 'role', 'settled');
    },
    { options: { n: 5, observers: 2 } },
  ),
  one('Who follows tells that to those that look, and looks if its leader does', (run) => {
    const { group, say, knows, lose } = run;
    followsIn(run, 3, '1:a');
    group.now += 100_000;
    const { round } = group.view(1);
    say('Its leader says that it looked before it was elected, and another looks.');
    says(run, 0, 1)('notification', looking(0, round, 2, '1.1'));
    says(run, 2, 1)('notification', looking(2, 99, 9, '9.9'));
    group.now += 14_999;
    says(run, 2, 1)('notification', looking(2, 99, 9, '9.9'));
    says(run, 2, 1)('notification', following(0));
    says(run, 0, 1)('notification', leading(0));
    lose();
    say('Its leader has made the epoch current, and looks.');
    says(run, 0, 1)('notification', looking(0, 1, 3, '1.1'));
    knows(1, 'role', 'round', 'leader', 'epoch', 'settled');
    followsAgain(run);
    say('Its leader looks in a later round.');
    says(run, 0, 1)('notification', looking(0, group.view(1).round + 1));
    followsAgain(run);
    say('Before it knows an epoch, only the round tells.');
    says(run, 0, 1)('notification', looking(0, group.view(1).round, 9, '9.9'));
  }),
  one(
    'Who leads tells that it leads',
    (run) => {
      const { group, knows } = run;
      led(run);
      group.now = 500_000;
      says(run, 2, 0)('notification', looking(2, 99, 9, '9.9'), looking(2, 99, 9, '9.9'));
      says(run, 0, 0)('notification', looking(2, 99, 9, '9.9'));
      says(run, 9, 0)('notification', looking(2, 99, 9, '9.9'));
      knows(0, 'toldAt');
    },
    { of: [0] },
  ),
];

test.each([
  ['well', well],
  ['votes', votes],
  ['settled', settled],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
