/**
 * What a leader commits, and how much it takes, told word for word in `test/runs`. After a wanted
 * change run this file with `UPDATE_RUNS=1`, and read what has changed.
 */
import * as files from 'node:fs';
import { toUtf8 } from '@quorumlab/core';
import { command, keeper } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import { acked, at, leadsWith1, led, nominated, says, sceneOf } from '../test/hands.ts';
import { type Scene, tell } from '../test/told.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
const of0 = sceneOf(0);

const commits: readonly Scene[] = [
  of0('What a majority has is committed, and all that comes before it', (run) => {
    const { group, say, knows, wait } = run;
    run.quietly(() => led(run, 'a'));
    for (const text of ['b', 'c', 'd']) group.propose(0, text);
    knows(0, 'committed', 'uncommitted', 'uncommittedBytes', 'writing', 'acked');
    say('Of another epoch, of more than there is, of strangers, of a ping still to come, again.');
    const from1 = says(run, 1, 0);
    from1('ack', { epoch: 2, zxid: at('1.4'), beat: 0 }, { epoch: 1, zxid: at('1.5'), beat: 0 });
    from1('ack', { epoch: 1, zxid: at('1.4'), beat: 1 }, { epoch: 1, zxid: at('1.1'), beat: 0 });
    says(run, 9, 0)('ack', { epoch: 1, zxid: at('1.4'), beat: 0 });
    knows(0, 'committed', 'acked');
    from1('ack', { epoch: 1, zxid: at('1.2'), beat: 0 });
    knows(0, 'committed', 'uncommitted', 'uncommittedBytes');
    says(run, 2, 0)('ack', { epoch: 1, zxid: at('1.4'), beat: 0 });
    from1('ack', { epoch: 1, zxid: at('1.3'), beat: 0 });
    knows(0, 'committed', 'uncommitted', 'uncommittedBytes', 'acked');
    say('Later acknowledgements of phase 2 are late, and answered.');
    from1('ack-ld', { epoch: 1, zxid: at('1.4'), beat: 0 });
    from1('ack-ld', { epoch: 1, zxid: at('1.4'), beat: 0 }, { epoch: 2, zxid: at('1.4'), beat: 0 });
    from1('ack-ld', { epoch: 1, zxid: at('1.9'), beat: 0 });
    says(run, 9, 0)('ack-ld', { epoch: 1, zxid: at('1.4'), beat: 0 });
    wait(0, 'ping', 30_000);
    from1('ack-ld', { epoch: 1, zxid: at('1.4'), beat: 1 });
    from1('ack-e', acked('1.4', 1), acked('1.3', 1), acked('1.4', 0));
    knows(0, 'learners');
  }),
  of0(
    'Its own history counts only as far as it is durable, in one message at a time',
    (run) => {
      const { group, say, knows, wait } = run;
      const sync = (): void => group.nodes[0]?.finishSync?.();
      const finishAll = (): void => {
        for (let i = 0; i < 4; i++) for (const { finishSync } of group.nodes) finishSync?.();
      };
      run.quietly(() => {
        group.nominate([0, 1, 2]);
        for (let i = 0; i < 8; i++) {
          finishAll();
          run.deliver();
        }
        finishAll();
        run.deliver();
      });
      group.propose(0, 'a');
      group.propose(0, 'b');
      knows(0, 'writing', 'acked', 'committed');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.1'), beat: 0 });
      knows(0, 'committed');
      say('The first write is done, then the second.');
      sync();
      knows(0, 'writing', 'acked', 'committed');
      sync();
      knows(0, 'writing', 'acked', 'committed');
      say('If the message to itself is lost, the next ping sends another.');
      group.propose(0, 'c');
      wait(0, 'ping', 30_000);
    },
    { instantSync: false },
  ),
  of0(
    'What a majority has promised and made current is so, also if the own disk is slower',
    (run) => {
      const { group, say, knows } = run;
      nominated(run);
      const sync = (): void => group.nodes[0]?.finishSync?.();
      for (const from of [1, 2])
        says(run, from, 0)('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
      for (const from of [1, 2]) says(run, from, 0)('ack-e', acked('0.0'));
      for (const from of [1, 2])
        says(run, from, 0)('ack-ld', { epoch: 1, zxid: at('0.0'), beat: 0 });
      knows(0, 'phase', 'synced', 'promises');
      say('Now its disk has it, too.');
      for (let i = 0; i < 4; i++) sync();
      knows(0, 'phase', 'synced', 'promises');
    },
    { instantSync: false },
  ),
  of0(
    'Who has lost its disk has promised nothing any more',
    (run) => {
      const { group, knows } = run;
      nominated(run, 0, 1, 2, 3, 4);
      says(run, 1, 0)('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
      says(run, 1, 0)('rejoin', { nonce: 1 });
      knows(0, 'epochs', 'learners');
      for (const from of [1, 2])
        says(run, from, 0)('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
      says(run, 1, 0)('ack-e', acked('0.0'));
      group.now += 1_000_000;
      says(run, 1, 0)('rejoin', { nonce: 2 });
      knows(0, 'promises', 'learners');
      says(run, 2, 0)('ack-e', acked('0.0'));
      knows(0, 'promises', 'phase');
    },
    { options: { n: 5 } },
  ),
  of0(
    'Who has not said where it stands is not heard, and who says it again is told again',
    (run) => {
      const { say, knows, wait } = run;
      leadsWith1(run, 'a', 'b');
      const from2 = says(run, 2, 0);
      say('Before CEPOCH, and before ACK-E.');
      from2('ack', { epoch: 1, zxid: at('1.2'), beat: 0 });
      from2('ack-ld', { epoch: 1, zxid: at('1.2'), beat: 0 });
      from2('ack-e', acked('1.2'));
      from2('sync', { epoch: 1, life: 0, question: 1 });
      from2('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
      from2('ack', { epoch: 1, zxid: at('1.2'), beat: 0 });
      from2('ack-ld', { epoch: 1, zxid: at('1.2'), beat: 0 });
      knows(0, 'learners', 'acked');
      from2('ack-e', acked('1.1'));
      say('An answer to a ping that is still to come.');
      from2('ack-ld', { epoch: 1, zxid: at('1.2'), beat: 1 });
      from2('ack-ld', { epoch: 1, zxid: at('1.2'), beat: 0 });
      knows(0, 'learners', 'acked');
      say('It stands before NEWLEADER again: that is later than the last ping, or it is not.');
      wait(0, 'ping', 30_000);
      from2('ack', { epoch: 1, zxid: at('1.2'), beat: 1 });
      wait(0, 'ping', 30_000);
      from2('ack-e', acked('1.2', 0), acked('1.2', 1), acked('1.1', 2));
      knows(0, 'learners');
      from2('ack-e', acked('1.2', 2));
      knows(0, 'learners');
      say('What was on its way from phase 3 comes late.');
      from2('ack', { epoch: 1, zxid: at('1.2'), beat: 1 });
      knows(0, 'learners');
    },
  ),
  of0('An epoch that is established has committed all of its history', (run) => {
    const { group, knows } = run;
    led(run, 'a');
    run.quietly(() => {
      group.propose(0, 'b');
      group.propose(0, 'c');
      run.lose();
      group.now += 1_000_000;
      group.fire(0, 'quorum');
      const vote = { leader: 0, currentEpoch: 1, zxid: at('1.3') };
      for (const from of [1, 2])
        says(run, from, 0)('notification', { state: 'looking', round: 2, ...vote });
      says(run, 1, 0)('cepoch', { acceptedEpoch: 1, acceptedFrom: 0 });
      run.lose();
    });
    says(run, 1, 0)('ack-e', acked('1.1', 0, { epoch: 2, currentEpoch: 1 }));
    knows(0, 'committed', 'delivered');
    says(run, 1, 0)('ack-ld', { epoch: 2, zxid: at('1.3'), beat: 0 });
    knows(0, 'committed', 'delivered', 'acked');
  }),
  of0(
    'A reign that ends forgets what only a leader knows',
    (run) => {
      const { group, knows, say } = run;
      run.quietly(() => {
        led(run, 'a');
        group.step(0, { type: 'read', id: 4 });
        group.step(0, { type: 'read', id: 5 });
        says(run, 1, 0)('sync', { epoch: 1, life: 1, question: 2 });
        group.propose(0, 'b');
        group.now += 1_000_000;
      });
      const all = [
        ...(['role', 'phase', 'leader', 'epoch', 'beat', 'committed', 'delivered'] as const),
        ...(['epochs', 'promises', 'synced', 'acked', 'learners', 'uncommitted'] as const),
        ...(['uncommittedBytes', 'writing', 'reads', 'asking', 'syncing'] as const),
        ...(['round', 'vote', 'votes', 'settled'] as const),
      ] as const;
      knows(0, ...all);
      run.wait(0, 'quorum', 0);
      knows(0, ...all);
      say('It takes no commands and no reads, and hears none of its followers.');
      group.propose(0, 'c');
      group.step(0, { type: 'read', id: 6 });
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.2'), beat: 0 });
      says(run, 1, 0)('ack-e', acked('1.2'));
      says(run, 1, 0)('ack-ld', { epoch: 1, zxid: at('1.2'), beat: 0 });
      says(run, 1, 0)('sync', { epoch: 1, life: 1, question: 3 });
      says(run, 1, 0)('cepoch', { acceptedEpoch: 1, acceptedFrom: 0 });
    },
    { options: { n: 3, followerReads: true } },
  ),
  of0('A prospective leader pings nobody before it has an epoch, and takes no commands', (run) => {
    const { group, wait, knows } = run;
    nominated(run);
    wait(0, 'ping', 30_000);
    group.propose(0, 'a');
    group.step(0, { type: 'read', id: 4 });
    says(run, 1, 0)('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
    wait(0, 'ping', 30_000);
    says(run, 1, 0)('ack-e', acked('0.0', 1));
    wait(0, 'ping', 30_000);
    group.propose(0, 'a');
    group.step(0, { type: 'read', id: 4 });
    knows(0, 'reads', 'uncommitted', 'beat', 'learners');
    says(run, 2, 0)('ack-ld', { epoch: 1, zxid: at('0.0'), beat: 0 });
    says(run, 1, 0)('ack-ld', { epoch: 1, zxid: at('0.0'), beat: 2 });
    says(run, 1, 0)('ack-ld', { epoch: 1, zxid: at('0.0'), beat: 2 });
    knows(0, 'synced', 'learners');
  }),
];

const MiB = 2 ** 20;
const requestOf = (bytes: number) => ({
  ...command(''),
  operations: [toUtf8('x'), new Uint8Array(bytes)],
});

const caps: readonly Scene[] = [
  of0(
    'No more than maxUncommitted, and a command that is there already once',
    (run) => {
      const { group, knows } = run;
      run.quietly(() => led(run));
      const request = command('a');
      group.request(0, request);
      group.request(0, request);
      group.propose(0, 'b');
      group.propose(0, 'c');
      group.step(0, { type: 'read', id: 1 });
      knows(0, 'uncommitted', 'reads', 'syncing');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.1'), beat: 0 });
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.2'), beat: 0 });
      group.request(0, request);
      knows(0, 'uncommitted', 'reads', 'syncing');
    },
    { options: { n: 3, maxUncommitted: 2 } },
  ),
  of0('No more than 64 MiB', (run) => {
    const { group, knows } = run;
    run.quietly(() => {
      led(run);
      group.request(0, requestOf(40 * MiB));
    });
    knows(0, 'uncommitted', 'uncommittedBytes');
    const left = 64 * MiB - group.view(0).uncommittedBytes;
    const frame = group.view(0).uncommittedBytes - 40 * MiB;
    run.quietly(() => group.request(0, requestOf(left - frame + 1)));
    knows(0, 'uncommitted', 'uncommittedBytes');
    run.quietly(() => group.request(0, requestOf(left - frame)));
    knows(0, 'uncommitted', 'uncommittedBytes');
    run.quietly(() => says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.1'), beat: 0 }));
    knows(0, 'uncommitted', 'uncommittedBytes');
  }),
  of0(
    'A message holds what fits into it, and any one transaction',
    (run) => {
      const { group, knows } = run;
      const most = 600_000;
      leadsWith1(run);
      const frame = (): number => {
        const { uncommittedBytes } = group.view(0);
        group.request(0, requestOf(1_000));
        return group.view(0).uncommittedBytes - uncommittedBytes - 1_000;
      };
      run.quietly(() => {
        const around = frame();
        const sizes = [most - 2 * around - 2_000, 1_000, 1_000 - around + around, most, 1_000];
        for (const size of sizes) group.request(0, requestOf(size));
        says(run, 2, 0)('cepoch', { acceptedEpoch: 0, acceptedFrom: null });
        run.lose();
        says(run, 2, 0)('ack-e', acked('0.0'));
      });
      knows(0, 'learners');
    },
    { options: { n: 3, maxBytesPerMessage: 600_000 } },
  ),
  of0(
    'No more reads wait than maxReads',
    (run) => {
      const { group, knows } = run;
      run.quietly(() => led(run, 'a'));
      for (const id of [1, 2, 3, 4]) group.step(0, { type: 'read', id });
      knows(0, 'reads', 'syncing');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.2'), beat: 0 });
      knows(0, 'reads', 'syncing');
      says(run, 1, 0)('ack', { epoch: 1, zxid: at('1.3'), beat: 0 });
      knows(0, 'reads', 'syncing');
    },
    { options: { n: 3, maxReads: 3 } },
  ),
];

test.each([
  ['commits', commits],
  ['caps', caps],
])('%s', (name, scenes) => {
  expect(keep(name, (sheet) => tell(scenes, sheet))).not.toBe('');
});
