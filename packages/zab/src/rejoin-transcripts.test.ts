/**
 * Members that have lost their disks, told word for word in `test/runs`. After a wanted
 * change run this file with `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { after, at, followsAgain, installed, led, says, sceneOf, snap } from '../test/hands.ts';
import { type Scene, type Told, tell } from '../test/told.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
const of1 = sceneOf(1);

const reply = (nonce: number, more: object = {}) => ({
  ...{ nonce, acceptedEpoch: 4, acceptedFrom: 2, currentEpoch: 3, lastZxid: at('3.5') },
  ...more,
});
const loses = ({ group, quietly, lose }: Told, id: number): void => {
  quietly(() => group.crash(id));
  lose();
  group.restart(id, 'lost');
};

const rejoins: readonly Scene[] = [
  of1(
    'Who lost its disk asks all voters, and takes part in nothing until all have answered',
    (run) => {
      const { group, say, wait, knows, lose } = run;
      led(run, 'x');
      loses(run, 1);
      lose();
      knows(1, 'rejoining', 'heard', 'role');
      say('It elects nobody, promises nothing, helps nobody.');
      says(
        run,
        2,
        1,
      )('notification', {
        ...{ state: 'looking', round: 5, leader: 2, currentEpoch: 1, zxid: at('1.1') },
      });
      says(
        run,
        2,
        1,
      )('notification', {
        ...{ state: 'leading', round: 5, leader: 2, currentEpoch: 1, zxid: at('1.1') },
      });
      says(run, 2, 1)('rejoin', { nonce: 9 });
      says(run, 2, 1)('newepoch', { epoch: 5, beat: 0 });
      wait(1, 'election', 0);
      wait(1, 'grace', 0);
      const { nonce } = group.view(1).rejoining as { nonce: number };
      say('Answers to another question, of observers, of strangers, and its own do not count.');
      says(run, 0, 1)('rejoin-reply', reply(nonce + 1));
      for (const from of [1, 3, 9]) says(run, from, 1)('rejoin-reply', reply(nonce));
      knows(1, 'heard');
      says(run, 0, 1)('rejoin-reply', reply(nonce));
      says(run, 0, 1)('rejoin-reply', reply(nonce));
      say('It asks again who has not answered.');
      wait(1, 'rejoin', 300_000);
      lose();
      says(run, 2, 1)('rejoin-reply', reply(nonce, { acceptedEpoch: 3, lastZxid: at('3.6') }));
      knows(1, 'rejoining', 'heard', 'acceptedEpoch', 'acceptedFrom', 'currentEpoch');
      say('Late ones, and late timers.');
      says(run, 0, 1)('rejoin-reply', reply(nonce));
      wait(1, 'rejoin', 0);
    },
    { options: { n: 4, observers: 1 } },
  ),
  of1('It does not lead before its history is as good, and says what it may have had', (run) => {
    const { group, say, knows, lose, wait } = run;
    led(run, 'x');
    loses(run, 1);
    const { nonce } = group.view(1).rejoining as { nonce: number };
    says(run, 0, 1)('rejoin-reply', reply(nonce));
    says(run, 2, 1)('rejoin-reply', reply(nonce, { currentEpoch: 2, lastZxid: at('2.9') }));
    knows(1, 'rejoining', 'acceptedFrom');
    lose();
    const vote = { leader: 1, currentEpoch: 0, zxid: at('0.0') };
    says(run, 2, 1)('notification', { state: 'looking', round: 1, ...vote });
    wait(1, 'grace', 30_000);
    knows(1, 'role');
    followsAgain(run);
    says(run, 0, 1)('newepoch', { epoch: 5, beat: 0 });
    const leader = says(run, 0, 1);
    leader('newleader', after('0.0', 5, '1:a', '3:b', '3:c'));
    say('Its current epoch is later now, and so it is like any other.');
    knows(1, 'rejoining');
    leader('commit-ld', { epoch: 5, zxid: at('3.3') });
    knows(1, 'rejoining');
    say('Others that lose theirs are told what it has.');
    says(run, 2, 1)('rejoin', { nonce: 77 });
  }),
  of1('A state that is as good makes it one like any other as well', (run) => {
    const { group, knows } = run;
    led(run, 'x');
    run.quietly(() => {
      loses(run, 1);
      const { nonce } = group.view(1).rejoining as { nonce: number };
      const best = { acceptedEpoch: 5, acceptedFrom: 0, currentEpoch: 5, lastZxid: at('5.4') };
      for (const from of [0, 2]) says(run, from, 1)('rejoin-reply', reply(nonce, best));
      followsAgain(run);
    });
    const leader = says(run, 0, 1);
    leader('newepoch', { epoch: 5, beat: 0 });
    leader('newleader', after('0.0', 5, '5:a'));
    leader('commit-ld', { epoch: 5, zxid: at('5.1') });
    knows(1, 'rejoining');
    leader('snap', snap('5.3', 5), snap('5.4', 5));
    installed(run, 2, '5.3');
    knows(1, 'rejoining');
    installed(run, 3, '5.4');
    knows(1, 'rejoining');
  }),
  of1('Of two proposers of one epoch nobody has its promise, and its own is none', (run) => {
    const { group, knows } = run;
    led(run, 'x');
    for (const [first, second] of [
      [{ acceptedFrom: 0 }, {}],
      [{ acceptedFrom: 1 }, { acceptedFrom: 1 }],
      [{ acceptedFrom: null }, { acceptedFrom: null }],
      [{ acceptedFrom: 0 }, { acceptedFrom: 2, acceptedEpoch: 3 }],
      [{ acceptedFrom: 0 }, { acceptedFrom: 2, acceptedEpoch: 5, lastZxid: at('3.5') }],
    ]) {
      run.quietly(() => {
        loses(run, 1);
        const { nonce } = group.view(1).rejoining as { nonce: number };
        says(run, 0, 1)('rejoin-reply', reply(nonce, first));
        says(run, 2, 1)('rejoin-reply', reply(nonce, second));
      });
      knows(1, 'acceptedEpoch', 'acceptedFrom');
    }
  }),
  of1(
    'Who crashes while it asks asks anew; an observer asks nobody',
    (run) => {
      led(run, 'x');
      loses(run, 1);
      run.quietly(() => run.group.crash(1));
      run.lose();
      run.group.restart(1);
      loses(run, 3);
      run.knows(3, 'life', 'rejoining', 'observes');
      run.knows(1, 'life', 'rejoining');
    },
    { options: { n: 4, observers: 1 }, of: [1, 3] },
  ),
  of1(
    'Who leads forgets what it counted on, and answers twice in an election timeout',
    (run) => {
      const { group, say, knows, lose } = run;
      led(run, 'x');
      const all = ['epochs', 'promises', 'synced', 'acked', 'learners', 'helpedAt'] as const;
      knows(0, ...all);
      group.now = 400_000;
      says(run, 1, 0)('rejoin', { nonce: 7 });
      knows(0, ...all);
      lose();
      group.now = 549_999;
      says(run, 1, 0)('rejoin', { nonce: 8 });
      group.now = 550_000;
      says(run, 1, 0)('rejoin', { nonce: 8 });
      say('Not observers, not strangers, not itself.');
      for (const from of [0, 3, 9]) says(run, from, 0)('rejoin', { nonce: 8 });
      knows(0, 'helpedAt');
    },
    { options: { n: 4, observers: 1 }, of: [0] },
  ),
];

test.each([['rejoins', rejoins]])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
