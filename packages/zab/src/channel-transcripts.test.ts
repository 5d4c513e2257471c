/**
 * What a leader sends to each follower, told word for word in `test/runs`. After a wanted
 * change run this file with `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { acked, at, leadsWith1, led, says, sceneOf } from '../test/hands.ts';
import { type Scene, type Told, tell } from '../test/told.ts';
import type { AckEpoch } from './index.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
const of0 = sceneOf(0);

const joins = (run: Told, id: number, held: string, more: Partial<AckEpoch> = {}): void => {
  says(run, id, 0)('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
  const { epoch } = run.group.view(0);
  says(run, id, 0)('ack-e', acked(held, 0, { epoch, ...more }));
};

const few = { n: 3, maxPerMessage: 2, maxInFlight: 2 } as const;

const channels: readonly Scene[] = [
  of0(
    'A follower that joins late is sent what it lacks, in parts and in its window',
    (run) => {
      const { say, knows } = run;
      leadsWith1(run, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
      joins(run, 2, '1.1');
      knows(0, 'learners');
      say('The first part is answered, and then the second.');
      says(run, 2, 0)('ack-e', acked('1.3', 0));
      says(run, 2, 0)('ack-e', acked('1.3', 0), acked('1.5', 0));
      knows(0, 'learners');
      say('NEWLEADER has been sent, so what is proposed now is sent as well, within the window.');
      run.group.propose(0, 'h');
      says(run, 2, 0)('ack-e', acked('1.7', 0));
      run.group.propose(0, 'i');
      run.group.propose(0, 'j');
      run.group.propose(0, 'k');
      knows(0, 'learners');
      says(run, 2, 0)('ack-ld', { epoch: 1, zxid: at('1.7'), beat: 0 });
      knows(0, 'learners', 'acked', 'synced');
      says(run, 2, 0)('ack', { epoch: 1, zxid: at('1.9'), beat: 0 });
      says(run, 2, 0)('ack', { epoch: 1, zxid: at('1.11'), beat: 0 });
      knows(0, 'learners', 'acked');
    },
    { options: few },
  ),
  of0('What it has and the leader has not is cut off first, down to what both share', (run) => {
    const { group, say, lose, knows, wait } = run;
    run.quietly(() => led(run, 'a', 'b', 'c'));
    say('0 leads the next epoch, with three transactions of the first.');
    run.quietly(() => {
      group.now += 1_000_000;
      group.fire(0, 'quorum');
      const vote = { leader: 0, currentEpoch: 1, zxid: at('1.3') };
      for (const from of [1, 2])
        says(run, from, 0)('notification', { state: 'looking', round: 2, ...vote });
      joins(run, 1, '1.3', { currentEpoch: 1 });
      says(run, 1, 0)('cepoch', { acceptedEpoch: 1, acceptedFrom: 0 });
      says(run, 1, 0)('ack-e', acked('1.3', 0, { epoch: 2, currentEpoch: 1 }));
      says(run, 1, 0)('ack-ld', { epoch: 2, zxid: at('1.3'), beat: 0 });
      group.propose(0, 'd');
      group.propose(0, 'e');
      lose();
    });
    knows(0, 'history', 'currentEpoch', 'phase');
    for (const held of ['1.5', '0.2', '1.4', '0.1', '2.9', '2.4', '2.5', '1.2']) {
      run.quietly(() => says(run, 2, 0)('rejoin', { nonce: 1 }));
      group.now += 1_000_000;
      lose();
      joins(run, 2, held);
    }
    knows(0, 'learners');
    say('What was lost is said again, until it has cut that off.');
    run.quietly(() => says(run, 2, 0)('rejoin', { nonce: 1 }));
    group.now += 1_000_000;
    run.quietly(() => joins(run, 2, '1.9'));
    knows(0, 'learners');
    wait(0, 'ping', 30_000);
    says(run, 2, 0)('ack-e', acked('1.9', 1, { epoch: 2 }));
    says(run, 2, 0)('ack-e', acked('1.3', 1, { epoch: 2 }));
    knows(0, 'learners');
  }),
  of0(
    'What a later ping shows to be lost is sent again, in phase 3 one message at a time',
    (run) => {
      const { group, say, knows, wait } = run;
      leadsWith1(run, 'a', 'b');
      joins(run, 2, '0.0');
      for (const text of ['c', 'd', 'e']) group.propose(0, text);
      knows(0, 'learners');
      wait(0, 'ping', 30_000);
      says(run, 2, 0)('ack-e', acked('0.0', 1));
      knows(0, 'learners');
      say('The first NEWLEADER comes after all.');
      wait(0, 'ping', 30_000);
      says(run, 2, 0)('ack-ld', { epoch: 1, zxid: at('1.2'), beat: 1 });
      knows(0, 'learners');
      say('In phase 3 only the first message is sent again, until that is answered.');
      wait(0, 'ping', 30_000);
      says(run, 2, 0)('ack', { epoch: 1, zxid: at('1.2'), beat: 3 });
      knows(0, 'learners');
      wait(0, 'ping', 30_000);
      says(run, 2, 0)('ack', { epoch: 1, zxid: at('1.4'), beat: 4 });
      says(run, 2, 0)('ack', { epoch: 1, zxid: at('1.5'), beat: 4 });
      knows(0, 'learners');
      say('Nothing is under way: nothing is sent again.');
      wait(0, 'ping', 30_000);
    },
    { options: few },
  ),
  of0(
    'A follower that is too far behind is told of a state, which the leader waits for',
    (run) => {
      const { group, knows, wait, say } = run;
      leadsWith1(run, 'a', 'b', 'c', 'd');
      joins(run, 2, '0.9');
      knows(0, 'compacted', 'learners');
      wait(0, 'ping', 30_000);
      says(run, 2, 0)('ack-e', acked('0.9', 1));
      knows(0, 'learners');
      says(run, 2, 0)('ack-e', acked('0.0', 1));
      knows(0, 'learners');
      wait(0, 'ping', 30_000);
      says(run, 2, 0)('ack-e', acked('0.0', 2));
      knows(0, 'learners');
      say('The state has come, and the rest follows; the next snapshot waits for it.');
      group.propose(0, 'e');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.5'), beat: 2 });
      group.propose(0, 'f');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.6'), beat: 2 });
      knows(0, 'compacted', 'history');
      says(run, 2, 0)('ack-e', acked('1.4', 2));
      knows(0, 'learners');
      group.propose(0, 'g');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.7'), beat: 2 });
      group.propose(0, 'h');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.8'), beat: 2 });
      knows(0, 'compacted', 'history', 'learners');
      say('Who has been silent for an election timeout is not waited for.');
      group.now += 300_000;
      group.propose(0, 'i');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.9'), beat: 2 });
      group.propose(0, 'j');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.10'), beat: 2 });
      knows(0, 'compacted', 'history', 'learners');
    },
    { options: { n: 3, snapshotEvery: 2, keepTransactions: 0 } },
  ),
  of0(
    'The last transactions stay behind a snapshot, for those that are a little behind',
    (run) => {
      const { group, knows, say } = run;
      leadsWith1(run, 'a', 'b', 'c', 'd', 'e', 'f', 'g');
      knows(0, 'compacted', 'history', 'snapshot');
      joins(run, 2, '1.4');
      run.lose();
      run.quietly(() => says(run, 2, 0)('rejoin', { nonce: 1 }));
      group.now += 1_000_000;
      say('One less would be too few.');
      joins(run, 2, '1.3');
      knows(0, 'learners');
      say('It has got an earlier state meanwhile.');
      says(run, 2, 0)('ack-e', acked('1.4'));
      knows(0, 'learners');
      says(run, 2, 0)('ack-e', acked('1.6'));
      knows(0, 'learners');
      say('A snapshot of what is in one already is not taken.');
      group.step(0, { type: 'snapshot-taken', slot: 5, digest: 'f'.repeat(64) });
      group.step(0, { type: 'snapshot-taken', slot: 4, digest: 'f'.repeat(64) });
    },
    { options: { n: 3, snapshotEvery: 3, keepTransactions: 2 } },
  ),
];

test.each([['channels', channels]])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
