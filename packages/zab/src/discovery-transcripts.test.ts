/**
 * Phase 1, and how long members wait, told word for word in `test/runs`. After a wanted
 * change run this file with `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { maxInteger, maxLeap } from '@quorumlab/core';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import {
  at,
  followsAgain,
  followsIn,
  led,
  nominated,
  says,
  sceneOf,
  transactions,
} from '../test/hands.ts';
import { type Scene, tell } from '../test/told.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
const one = sceneOf(1);

const patience: readonly Scene[] = [
  one('Who follows waits for its leader from one to two election timeouts', (run) => {
    const { group, say, wait, lose, knows } = run;
    followsIn(run, 3, '1:a');
    says(run, 0, 1)('ping', { epoch: 3, beat: 1, zxid: at('0.0') });
    const { now } = group;
    wait(1, 'election', 100_000);
    wait(1, 'election', 199_999);
    lose();
    knows(1, 'lastContact');
    group.now = now + 299_999;
    says(run, 0, 1)('ping', { epoch: 3, beat: 2, zxid: at('0.0') });
    lose();
    wait(1, 'election', 299_999);
    say('No word for a whole one.');
    wait(1, 'election', 1);
    say('It says again whom it nominates, every two heartbeats, and waits for no grace.');
    wait(1, 'election', 60_000);
    wait(1, 'join', 0);
    wait(1, 'ping', 0);
    wait(1, 'quorum', 0);
    wait(1, 'rejoin', 0);
  }),
  one(
    'Timers of another role do nothing',
    (run) => {
      const { wait } = run;
      led(run);
      for (const timer of ['election', 'grace', 'join', 'rejoin'] as const) wait(0, timer, 0);
      for (const timer of ['grace', 'join', 'ping', 'quorum', 'rejoin'] as const) wait(1, timer, 0);
    },
    { of: [0, 1] },
  ),
  one(
    'Nor do they where no epoch is known yet',
    (run) => {
      nominated(run);
      for (const timer of ['election', 'grace', 'join', 'rejoin'] as const) run.wait(0, timer, 0);
    },
    { of: [0] },
  ),
  one('CEPOCH is said again every heartbeat, until NEWEPOCH comes', (run) => {
    const { wait } = run;
    nominated(run);
    wait(1, 'join');
    says(run, 0, 1)('newepoch', { epoch: 4, beat: 2 });
    wait(1, 'join', 30_000);
  }),
  one(
    'A leader that no majority has answered for an election timeout looks',
    (run) => {
      const { group, say, wait, quietly, settle, lose } = run;
      led(run, 'x');
      say('Two of five have answered in time, of two observers none.');
      const answered = (from: number): void => {
        quietly(() => {
          wait(0, 'ping', 0);
          settle({ from: [0, from], to: [0, from] });
          lose();
        });
      };
      group.now = 1_000_000;
      for (const id of [1, 2]) answered(id);
      group.now = 1_299_999;
      wait(0, 'quorum', 0);
      group.now = 1_100_000;
      answered(5);
      answered(6);
      group.now = 1_300_000;
      wait(0, 'quorum', 0);
    },
    { options: { n: 7, observers: 2 }, of: [0] },
  ),
];

const discovery: readonly Scene[] = [
  one(
    'A prospective leader proposes an epoch above all that a majority has promised',
    (run) => {
      const { say, knows } = run;
      nominated(run, 0, 1, 2, 3, 4);
      const say1 = says(run, 1, 0);
      say('Of itself, of strangers, and of one that promised 7; the same once more.');
      says(run, 0, 0)('cepoch', { acceptedEpoch: 99, acceptedFrom: null });
      says(run, 9, 0)('cepoch', { acceptedEpoch: 99, acceptedFrom: null });
      knows(0, 'epochs');
      say1('cepoch', { acceptedEpoch: 9, acceptedFrom: 2 }, { acceptedEpoch: 7, acceptedFrom: 2 });
      says(run, 5, 0)('cepoch', { acceptedEpoch: 99, acceptedFrom: 1 });
      knows(0, 'epochs', 'epoch', 'acceptedEpoch', 'learners');
      says(run, 2, 0)('cepoch', { acceptedEpoch: 5, acceptedFrom: null });
      knows(0, 'epochs', 'epoch', 'acceptedEpoch', 'acceptedFrom', 'promises', 'learners');
      say('Later ones are told the same epoch, also one that has promised it to this leader.');
      says(run, 3, 0)('cepoch', { acceptedEpoch: 7, acceptedFrom: 2 });
      says(run, 4, 0)('cepoch', { acceptedEpoch: 8, acceptedFrom: 0 });
      says(run, 5, 0)('cepoch', { acceptedEpoch: 99, acceptedFrom: 1 });
      knows(0, 'epochs', 'learners');
      say('One that has promised it to another: this leader cannot go on.');
      says(run, 4, 0)('cepoch', { acceptedEpoch: 8, acceptedFrom: 1 });
      knows(0, 'role', 'epochs', 'learners', 'epoch', 'acceptedEpoch');
    },
    { options: { n: 6, observers: 1 }, of: [0] },
  ),
  one(
    'One that has promised a later epoch ends a reign that is established, too',
    (run) => {
      led(run, 'x');
      says(run, 1, 0)('cepoch', { acceptedEpoch: 1, acceptedFrom: 0 });
      says(run, 1, 0)('cepoch', { acceptedEpoch: 2, acceptedFrom: 1 });
      says(run, 1, 0)('cepoch', { acceptedEpoch: 2, acceptedFrom: 1 });
    },
    { of: [0] },
  ),
  one(
    'Who says that it promised an epoch so far that nobody gets there is not heard',
    (run) => {
      nominated(run);
      says(run, 1, 0)('cepoch', { acceptedEpoch: maxLeap + 1, acceptedFrom: 2 });
      run.knows(0, 'epoch', 'acceptedEpoch');
      says(run, 2, 0)('cepoch', { acceptedEpoch: maxLeap, acceptedFrom: 2 });
    },
    { of: [0] },
  ),
  one(
    'After the largest epoch of all there is none',
    (run) => {
      const { group, say } = run;
      const begins = (acceptedEpoch: number): void => {
        run.quietly(() => {
          group.crash(0);
          Object.assign(group.nodes[0]?.disk ?? {}, { acceptedEpoch });
          group.restart(0);
          nominated(run);
        });
        says(run, 1, 0)('cepoch', { acceptedEpoch: 7, acceptedFrom: 0 });
      };
      begins(maxInteger - 1);
      say('A member that has promised that one.');
      begins(maxInteger);
    },
    { of: [0] },
  ),
  one('A follower promises an epoch to its leader, if it has promised no later one', (run) => {
    const { say, knows, group } = run;
    nominated(run);
    say('Of another, and no epoch at all.');
    says(run, 2, 1)('newepoch', { epoch: 4, beat: 0 });
    says(run, 0, 1)('newepoch', { epoch: 0, beat: 0 });
    knows(1, 'acceptedEpoch', 'epoch');
    group.now = 70_000;
    says(run, 0, 1)('newepoch', { epoch: 4, beat: 2 });
    knows(1, 'acceptedEpoch', 'acceptedFrom', 'epoch', 'phase', 'beat', 'lastContact');
    say('The same again; beats do not go back. An older one is late.');
    group.now = 80_000;
    says(run, 0, 1)('newepoch', { epoch: 4, beat: 5 }, { epoch: 4, beat: 1 });
    says(run, 0, 1)('newepoch', { epoch: 3, beat: 9 });
    knows(1, 'beat', 'lastContact');
  }),
  one('It does not promise one epoch to two leaders, nor one that is older', (run) => {
    const { knows, say } = run;
    nominated(run);
    says(run, 0, 1)('newepoch', { epoch: 4, beat: 0 });
    followsAgain(run);
    say('Its leader has forgotten nothing, and says it again.');
    says(run, 0, 1)('newepoch', { epoch: 4, beat: 0 });
    followsAgain(run);
    says(run, 0, 1)('newepoch', { epoch: 3, beat: 0 });
    knows(1, 'role');
    run.quietly(() => {
      const about = { round: 9, leader: 2, currentEpoch: 1, zxid: at('1.1') };
      says(run, 0, 1)('notification', { state: 'following', ...about });
      says(run, 2, 1)('notification', { state: 'leading', ...about });
      run.lose();
    });
    say('Another leader asks for the same epoch.');
    says(run, 2, 1)('newepoch', { epoch: 4, beat: 0 });
  }),
  one('A leader that leads a later epoch begins it anew', (run) => {
    const { knows } = run;
    followsIn(run, 3, '1:a');
    const entries = transactions('2:b');
    says(run, 0, 1)('newleader', { epoch: 3, previous: at('1.1'), transactions: entries });
    says(run, 0, 1)('commit-ld', { epoch: 3, zxid: at('1.1') });
    says(run, 0, 1)('commit', { epoch: 3, zxid: at('3.7') });
    says(run, 0, 1)('ping', { epoch: 3, beat: 6, zxid: at('3.7') });
    says(run, 0, 1)('propose', { epoch: 3, previous: at('3.5'), transactions: entries });
    knows(1, 'phase', 'epoch', 'beat', 'committed', 'delivered', 'early');
    says(run, 0, 1)('newepoch', { epoch: 5, beat: 1 });
    knows(1, 'phase', 'epoch', 'beat', 'committed', 'delivered', 'early');
  }),
];

const promised = (beat: number, held: string, currentEpoch = 0, last = held) => ({
  ...{ epoch: 3, leader: 0, currentEpoch, beat },
  ...{ held: at(held), lastZxid: at(last) },
});

const promises: readonly Scene[] = [
  one(
    'It goes on once a majority has promised, and none of it has a better history',
    (run) => {
      const { say, knows } = run;
      nominated(run, 0, 1, 2, 3, 4);
      run.quietly(() => {
        for (const from of [1, 2, 5])
          says(run, from, 0)('cepoch', { acceptedEpoch: 2, acceptedFrom: 1 });
        run.lose();
      });
      const from1 = says(run, 1, 0);
      say('Of another epoch, to another leader, of one that said no CEPOCH, a stranger.');
      from1('ack-e', { ...promised(0, '0.0'), epoch: 2 }, { ...promised(0, '0.0'), epoch: 4 });
      from1('ack-e', { ...promised(0, '0.0'), leader: 1 });
      says(run, 3, 0)('ack-e', promised(0, '0.0'));
      says(run, 9, 0)('ack-e', promised(0, '0.0'));
      say('An answer to a ping that is still to come.');
      from1('ack-e', promised(1, '0.0'));
      knows(0, 'promises', 'learners');
      from1('ack-e', promised(0, '0.0'));
      say('An observer does not count, whatever it has.');
      says(run, 5, 0)('ack-e', promised(0, '2.9', 2));
      knows(0, 'promises', 'phase', 'currentEpoch');
      says(run, 2, 0)('ack-e', promised(0, '0.0'));
      knows(0, 'promises', 'phase', 'currentEpoch', 'learners');
      say('What others promise now is answered with the history.');
      says(run, 3, 0)('cepoch', { acceptedEpoch: 2, acceptedFrom: 1 });
      says(run, 3, 0)('ack-e', promised(0, '2.9', 2));
    },
    { options: { n: 6, observers: 1 }, of: [0] },
  ),
  one(
    'A better history ends a reign: a later current epoch',
    (run) => {
      nominated(run);
      run.quietly(() => says(run, 1, 0)('cepoch', { acceptedEpoch: 2, acceptedFrom: 1 }));
      says(run, 1, 0)('ack-e', promised(0, '0.0', 1));
    },
    { of: [0] },
  ),
  one(
    'And a later zxid',
    (run) => {
      nominated(run);
      run.quietly(() => says(run, 1, 0)('cepoch', { acceptedEpoch: 2, acceptedFrom: 1 }));
      says(run, 1, 0)('ack-e', promised(0, '1.1'));
      says(run, 1, 0)('ack-e', promised(0, '1.1'));
    },
    { of: [0] },
  ),
];

test.each([
  ['patience', patience],
  ['discovery', discovery],
  ['promises', promises],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
