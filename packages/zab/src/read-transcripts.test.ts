/**
 * Observers, and reads of those that do not lead, told word for word in `test/runs`. After a wanted
 * change run this file with `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { acked, at, led, nominated, says } from '../test/hands.ts';
import { type Scene, tell } from '../test/told.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
const anywhere = { n: 4, observers: 1, followerReads: true } as const;

const reads: readonly Scene[] = [
  {
    title: 'A read at a follower and one at an observer wait for a no-op of their leader',
    options: anywhere,
    script: (run) => {
      const { group, deliver, say } = run;
      led(run, 'a');
      group.step(1, { type: 'read', id: 7 });
      group.step(3, { type: 'read', id: 8 });
      group.step(3, { type: 'read', id: 9 });
      for (let i = 0; i < 7; i++) deliver();
      say('Questions that nobody answers here.');
      says(run, 2, 0)('sync', { epoch: 2, life: 0, question: 1 });
      says(run, 0, 0)('sync', { epoch: 1, life: 0, question: 1 });
      says(run, 9, 0)('sync', { epoch: 1, life: 0, question: 1 });
      says(run, 2, 1)('sync', { epoch: 1, life: 0, question: 1 });
    },
  },
  {
    title: 'A question that is not answered is asked again with the next ping, after a while',
    options: anywhere,
    of: [1],
    script: (run) => {
      const { group, knows, say } = run;
      led(run, 'a');
      group.step(1, { type: 'read', id: 7 });
      group.step(1, { type: 'read', id: 8 });
      knows(1, 'question', 'unasked');
      group.now += 299_999;
      says(run, 0, 1)('ping', { epoch: 1, beat: 1, zxid: at('1.1') });
      group.now += 1;
      says(run, 0, 1)('ping', { epoch: 1, beat: 1, zxid: at('1.1') });
      knows(1, 'question', 'unasked', 'questions', 'life');
      say('Answers to another question, of another life or epoch, of another member.');
      const answer = { epoch: 1, life: 0, question: 2, zxid: at('1.5') };
      says(run, 0, 1)('sync-reply', { ...answer, question: 1 }, { ...answer, life: 1 });
      says(run, 0, 1)('sync-reply', { ...answer, epoch: 2 });
      says(run, 2, 1)('sync-reply', answer);
      group.step(1, { type: 'read', id: 9 });
      says(run, 0, 1)('sync-reply', answer, answer);
      knows(1, 'question', 'unasked');
    },
  },
  {
    title: 'Observers are told what is committed, in order, and answer like followers',
    options: { ...anywhere, maxPerMessage: 1, maxInFlight: 2 },
    of: [0, 3],
    script: (run) => {
      const { group, knows, say, deliver, lose, wait } = run;
      led(run, 'a');
      for (const text of ['b', 'c', 'd', 'e']) group.propose(0, text);
      say('It hears of nothing that is not committed.');
      lose();
      for (const i of [2, 3, 4, 5])
        says(run, 1, 0)('ack', { epoch: 1, zxid: at(`1.${i}`), beat: 0 });
      say('The second one comes first.');
      deliver({ kind: 'commit' });
      const [, second] = group.packets.filter(({ message }) => message.kind === 'inform');
      if (second !== undefined) group.deliver(second);
      knows(3, 'committed', 'delivered', 'early');
      deliver({ kind: 'inform' });
      deliver({ kind: 'ack', from: 3 });
      lose();
      wait(0, 'ping', 30_000);
      deliver({ kind: 'ping', to: 3 });
      deliver({ kind: 'ack', from: 3 });
      wait(0, 'ping', 30_000);
      deliver({ kind: 'inform' });
      knows(3, 'committed', 'delivered', 'early');
      knows(0, 'acked', 'synced', 'learners');
      say('Proposals and their commits are not for it.');
      says(run, 0, 3)('propose', { epoch: 1, previous: at('1.5'), transactions: [] });
    },
  },
  {
    title: 'Reads of a leader and of a follower that come meanwhile share the next no-op',
    options: { n: 3, followerReads: true },
    of: [0],
    script: (run) => {
      const { group } = run;
      led(run, 'a');
      group.step(0, { type: 'read', id: 1 });
      group.step(0, { type: 'read', id: 2 });
      says(run, 1, 0)('sync', { epoch: 1, life: 0, question: 1 });
      run.knows(0, 'reads', 'asking', 'syncing');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.2'), beat: 0 });
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.3'), beat: 0 });
      run.knows(0, 'reads', 'asking', 'syncing');
    },
  },
  {
    title: 'No more reads wait at a follower than maxReads, asked for or not',
    options: { n: 3, followerReads: true, maxReads: 2 },
    of: [1],
    script: (run) => {
      led(run, 'a');
      for (const id of [1, 2, 3]) run.group.step(1, { type: 'read', id });
      run.knows(1, 'unasked', 'question');
    },
  },
  {
    title: 'A leader that begins a new epoch is asked again once that is established',
    options: { n: 3, followerReads: true },
    of: [1],
    script: (run) => {
      const { group, knows } = run;
      led(run, 'a');
      group.step(1, { type: 'read', id: 1 });
      const leader = says(run, 0, 1);
      leader('newepoch', { epoch: 3, beat: 0 });
      group.now += 400_000;
      leader('ping', { epoch: 3, beat: 1, zxid: at('1.1') });
      leader('newleader', { epoch: 3, previous: at('1.1'), transactions: [] });
      leader('ping', { epoch: 3, beat: 2, zxid: at('1.1') });
      group.step(1, { type: 'read', id: 2 });
      leader('commit-ld', { epoch: 3, zxid: at('1.1') });
      leader('ping', { epoch: 3, beat: 3, zxid: at('1.1') });
      knows(1, 'unasked', 'question');
    },
  },
  {
    title: 'A leader that is not established answers nobody',
    options: { n: 3, followerReads: true },
    of: [0],
    script: (run) => {
      nominated(run);
      run.quietly(() => {
        says(run, 1, 0)('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
        says(run, 1, 0)('ack-e', acked('0.0'));
      });
      says(run, 1, 0)('sync', { epoch: 1, life: 0, question: 1 });
      run.wait(0, 'ping', 30_000);
      run.knows(0, 'asking', 'writing', 'acked');
    },
  },
  {
    title: 'Reads of followers are not answered where nobody asked for that',
    options: { n: 3 },
    of: [1],
    script: (run) => {
      led(run, 'a');
      run.group.step(1, { type: 'read', id: 7 });
      run.knows(1, 'unasked', 'question');
    },
  },
];

test.each([['reads', reads]])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
