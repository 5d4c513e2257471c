/**
 * A follower in phases 2 and 3, told word for word in `test/runs`. After a wanted
 * change run this file with `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { digestOfText, keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import {
  after,
  at,
  broadcasts,
  followsAgain,
  followsIn,
  installed,
  says,
  sceneOf,
  snap,
} from '../test/hands.ts';
import { type Scene, type Told, tell } from '../test/told.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
const of1 = sceneOf(1);
const history = ({ knows }: Told): void => knows(1, 'history', 'currentEpoch', 'delivered');

const synchronization: readonly Scene[] = [
  of1('A follower cuts off what is not in the history of the epoch, once', (run) => {
    const { say } = run;
    followsIn(run, 3, '1:a', '1:b', '2:c');
    const trunc = says(run, 0, 1);
    say('Of another epoch, of another member; behind its end; to what it has not.');
    trunc('trunc', { epoch: 2, to: at('1.1') });
    says(run, 2, 1)('trunc', { epoch: 3, to: at('1.1') });
    trunc('trunc', { epoch: 3, to: at('2.3') }, { epoch: 3, to: at('2.2') });
    history(run);
    trunc('trunc', { epoch: 3, to: at('1.2') });
    history(run);
    trunc('newleader', after('1.2', 3, '2:d'));
    say('A late one takes back nothing of what was acknowledged since.');
    trunc('trunc', { epoch: 3, to: at('1.1') });
    history(run);
  }),
  of1('It never cuts off what it has delivered', (run) => {
    broadcasts(run, 2, '1:a', '1:b');
    followsAgain(run);
    says(run, 0, 1)('newepoch', { epoch: 4, beat: 0 });
    says(run, 0, 1)('trunc', { epoch: 4, to: at('1.1') }, { epoch: 4, to: at('1.2') });
    history(run);
  }),
  of1('It takes what follows its history, and keeps what comes too early', (run) => {
    const { say, knows } = run;
    followsIn(run, 3, '1:a', '1:b');
    const leader = says(run, 0, 1);
    say('Of another epoch, of another member, to observers, and proposed before NEWLEADER.');
    leader('diff', after('1.2', 2, '2:c'));
    says(run, 2, 1)('diff', after('1.2', 3, '2:c'));
    leader('inform', after('1.2', 3, '2:c'));
    leader('propose', after('1.2', 3, '3:x'));
    knows(1, 'early');
    leader('newleader', after('2.3', 3, '2:d'));
    say('What has come already, and what parts from its history.');
    leader('diff', after('1.1', 3, '1:b'), after('0.1', 3, '2:z'), after('0.0', 3, '1:a', '2:z'));
    knows(1, 'early');
    history(run);
    say('What was missing.');
    leader('diff', after('1.2', 3, '2:c'));
    knows(1, 'early');
    history(run);
    leader('commit-ld', { epoch: 3, zxid: at('1.2') });
    leader('commit-ld', { epoch: 3, zxid: at('2.4') });
    knows(1, 'phase', 'committed', 'delivered');
    say('Another DIFF comes late.');
    leader('diff', after('2.4', 3, '2:e'));
    history(run);
  }),
  of1('DIFF does not make an epoch current, and what was never said is not delivered', (run) => {
    followsIn(run, 3, '1:a');
    const leader = says(run, 0, 1);
    leader('diff', after('1.1', 3, '1:b', '2:c'));
    leader('commit-ld', { epoch: 3, zxid: at('2.3') });
    leader('commit', { epoch: 3, zxid: at('2.3') });
    leader('ping', { epoch: 3, beat: 1, zxid: at('2.3') });
    history(run);
  }),
  of1('NEWLEADER makes no epoch current whose history is another', (run) => {
    followsIn(run, 3, '1:a', '2:b');
    const leader = says(run, 0, 1);
    leader('newleader', after('0.0', 3, '1:a'));
    leader('newleader', after('1.1', 3));
    leader('newleader', after('1.1', 3, '1:c'));
    history(run);
    leader('newleader', after('1.1', 3, '2:b'));
    history(run);
    run.say('Once more: it says again where it stands.');
    leader('newleader', after('1.1', 3, '2:b'), after('2.2', 3));
  }),
  of1('Epochs never fall along a history, and none is later than that of the leader', (run) => {
    followsIn(run, 3, '1:a', '2:b');
    const leader = says(run, 0, 1);
    leader('diff', after('2.2', 3, '1:c'), after('2.2', 3, '4:c'));
    history(run);
    leader('diff', after('2.2', 3, '2:c', '3:d', '2:e'));
    history(run);
  }),
  of1(
    'Who has lost its leader forgets what only a follower knows',
    (run) => {
      const { knows, quietly } = run;
      broadcasts(run, 3, '1:a');
      quietly(() => {
        run.group.step(1, { type: 'read', id: 4 });
        run.group.step(1, { type: 'read', id: 5 });
        says(run, 0, 1)('propose', after('3.5', 3, '3:x'));
        says(run, 0, 1)('ping', { epoch: 3, beat: 6, zxid: at('3.7') });
      });
      const all = [
        ...(['leader', 'epoch', 'phase', 'beat', 'committed', 'delivered', 'early'] as const),
        ...(['question', 'unasked', 'vote', 'votes', 'settled', 'round'] as const),
      ] as const;
      knows(1, ...all);
      run.wait(1, 'election', 900_000);
      knows(1, ...all);
    },
    { options: { n: 3, followerReads: true } },
  ),
];

const proposals: readonly Scene[] = [
  of1(
    'Proposals are taken in their order, and acknowledged up to where nothing is missing',
    (run) => {
      const { say, knows } = run;
      broadcasts(run, 3, '1:a');
      const leader = says(run, 0, 1);
      leader('propose', after('3.2', 3, '3:c', '3:d'));
      leader('propose', after('3.5', 3, '3:f'));
      knows(1, 'early');
      leader('propose', after('1.1', 3, '3:b'));
      knows(1, 'early');
      leader('propose', after('3.4', 3, '3:e'));
      knows(1, 'early');
      history(run);
      say('Late ones again, and one that is partly known.');
      leader('propose', after('3.2', 3, '3:c'), after('3.5', 3, '3:f', '3:g'));
      history(run);
    },
  ),
  of1(
    'What is kept early is bounded, and one that was kept may be told again',
    (run) => {
      const { knows } = run;
      broadcasts(run, 3, '1:a');
      const leader = says(run, 0, 1);
      leader('propose', after('3.3', 3, '3:d'), after('3.5', 3, '3:f'), after('3.7', 3, '3:h'));
      knows(1, 'early');
      leader('propose', after('3.3', 3, '3:d', '3:e'));
      knows(1, 'early');
      leader('propose', after('1.1', 3, '3:b', '3:c'));
      knows(1, 'early');
      history(run);
    },
    { options: { n: 3, maxInFlight: 2 } },
  ),
  of1('A NEWLEADER that came early is not put out by a proposal', (run) => {
    const { knows } = run;
    followsIn(run, 3, '1:a');
    const leader = says(run, 0, 1);
    leader('newleader', after('1.2', 3));
    leader('propose', after('1.2', 3, '3:c'));
    knows(1, 'early');
    leader('diff', after('1.1', 3, '1:b'));
    knows(1, 'early');
    history(run);
  }),
  of1('What is committed is delivered once it is here; before COMMIT-LD nothing is', (run) => {
    const { knows } = run;
    followsIn(run, 3, '1:a');
    const leader = says(run, 0, 1);
    leader('newleader', after('1.1', 3, '2:b'));
    leader('propose', after('2.2', 3, '3:c'));
    leader('commit', { epoch: 3, zxid: at('3.3') });
    leader('ping', { epoch: 3, beat: 4, zxid: at('3.3') });
    knows(1, 'committed', 'delivered', 'beat', 'phase');
    leader('commit-ld', { epoch: 2, zxid: at('2.2') });
    says(run, 2, 1)('commit-ld', { epoch: 3, zxid: at('2.2') });
    leader('commit-ld', { epoch: 3, zxid: at('2.2') });
    leader('commit', { epoch: 2, zxid: at('3.3') });
    says(run, 2, 1)('commit', { epoch: 3, zxid: at('3.3') });
    leader('commit', { epoch: 3, zxid: at('3.5') }, { epoch: 3, zxid: at('3.4') });
    knows(1, 'committed', 'delivered');
    leader('propose', after('3.3', 3, '3:d'));
    leader('propose', after('3.4', 3, '3:e'));
    leader('propose', after('3.5', 3, '3:f'));
    leader('ping', { epoch: 3, beat: 5, zxid: at('3.6') });
    leader('ping', { epoch: 3, beat: 3, zxid: at('3.6') });
    leader('ping', { epoch: 4, beat: 9, zxid: at('3.6') });
    says(run, 2, 1)('ping', { epoch: 3, beat: 9, zxid: at('3.6') });
    knows(1, 'committed', 'delivered', 'beat');
  }),
  of1('Every word of the leader is a sign of life', (run) => {
    const { group, knows } = run;
    broadcasts(run, 3, '1:a');
    const leader = says(run, 0, 1);
    const hears = (say: () => void): void => {
      group.now += 1_000;
      say();
      knows(1, 'lastContact');
    };
    hears(() => leader('commit', { epoch: 3, zxid: at('1.1') }));
    hears(() => leader('ping', { epoch: 3, beat: 1, zxid: at('1.1') }));
    hears(() => leader('propose', after('3.5', 3, '3:x')));
    hears(() => leader('commit-ld', { epoch: 3, zxid: at('1.1') }));
    hears(() => leader('trunc', { epoch: 3, to: at('0.0') }));
    hears(() => leader('snap', { epoch: 3, zxid: at('1.1'), digest: digestOfText('a') }));
    run.say('But for one that says what only a liar says.');
    hears(() => leader('snap', { epoch: 3, zxid: at('4.9'), digest: digestOfText('a') }));
    hears(() => says(run, 2, 1)('commit', { epoch: 3, zxid: at('1.1') }));
  }),
];

const states: readonly Scene[] = [
  of1(
    'A follower fetches the state that it is told of, from its leader first',
    (run) => {
      const { say, knows } = run;
      followsIn(run, 3, '1:a', '1:b');
      const leader = says(run, 0, 1);
      leader('snap', snap('2.5', 2));
      says(run, 2, 1)('snap', snap('2.5'));
      leader('snap', snap('2.5'));
      say('The same again is fetched again; so is another, and the last four are known.');
      leader('snap', snap('2.5'), snap('2.6'), snap('2.5', 3, 'other'), snap('3.5', 3, '2.5'));
      leader('snap', snap('2.5'), snap('2.7'), snap('2.8'));
      knows(1, 'fetching');
      say('One that nobody told it of, and one that it does not know any more.');
      installed(run, 6, 'none');
      installed(run, 9, '2.7');
      installed(run, 5, '2.6');
      say('With it, what comes before it is gone; of those to come the later ones are known.');
      installed(run, 6, '2.7');
      knows(1, 'fetching', 'history', 'compacted', 'snapshot', 'delivered', 'committed');
      leader('newleader', after('2.7', 3, '2:h', '2:i'));
      leader('commit-ld', { epoch: 3, zxid: at('2.9') });
      say('One of what was delivered meanwhile is of no use.');
      installed(run, 7, '2.8');
      leader('snap', snap('2.9'));
      knows(1, 'fetching', 'compacted', 'delivered');
    },
    { options: { n: 4, observers: 1 } },
  ),
  of1('What follows the state in its history stays, if the state ends there too', (run) => {
    const { knows } = run;
    followsIn(run, 3, '1:a', '1:b', '1:c');
    says(run, 0, 1)('snap', snap('1.2'));
    installed(run, 1, '1.2');
    knows(1, 'history', 'compacted', 'snapshot', 'delivered');
    run.say('What it drops it has still: it is told again from there.');
    says(run, 0, 1)('newleader', after('0.0', 3, '1:a', '1:b', '1:c', '2:d'));
    knows(1, 'history', 'currentEpoch');
  }),
  of1('Nothing stays of a history that parts from it', (run) => {
    const { knows } = run;
    followsIn(run, 3, '1:a', '1:b', '1:c');
    says(run, 0, 1)('snap', snap('2.2'));
    installed(run, 1, '2.2');
    knows(1, 'history', 'compacted', 'snapshot', 'delivered');
  }),
  of1('A state that comes after the leader was lost is taken, and nobody is told', (run) => {
    const { knows, lose } = run;
    followsIn(run, 3, '1:a');
    says(run, 0, 1)('snap', snap('2.4'));
    run.quietly(() => run.wait(1, 'election', 1_000_000));
    lose();
    installed(run, 3, '2.4');
    knows(1, 'compacted', 'delivered', 'committed', 'role');
    run.wait(1, 'election', 60_000);
  }),
  of1('Nor is anybody told by one that joins and knows no epoch yet', (run) => {
    followsIn(run, 3, '1:a');
    says(run, 0, 1)('snap', snap('2.4'));
    followsAgain(run);
    installed(run, 3, '2.4');
    run.knows(1, 'compacted', 'delivered', 'committed', 'role', 'epoch');
  }),
];

test.each([
  ['synchronization', synchronization],
  ['proposals', proposals],
  ['states', states],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
