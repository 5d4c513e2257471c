/** Coming back after the disk was lost. */
import { among, links } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, of, zooKeeper } from '../test/cluster.ts';
import { oneOfEach, zxid } from '../test/messages.ts';

/** 2 leads; x is on 1 and 2, and 1 has lost its disk since. */
function emptied(): Cluster {
  const group = cluster(zooKeeper({ n: 3 }));
  group.convene([0, 1, 2]);
  group.propose(2, 'x');
  group.settle(links([1, 2]));
  group.crash(1);
  group.restart(1, 'lost');
  return group;
}

describe('who lost its disk', () => {
  test('says so on the new one, and takes part in nothing until all others have answered', () => {
    const group = emptied();
    expect(group.nodes[1]?.disk.rejoining).toMatchObject({ best: null });
    expect(group.nodes[1]?.machine.status().role).toBe('rejoining');
    const asked = group.packets.splice(0);
    expect(asked.map(({ message }) => message.kind)).toEqual(['rejoin', 'rejoin']);
    for (const message of oneOfEach(1))
      for (const from of [0, 2])
        if (message.kind !== 'rejoin-reply') {
          group.inject(from, 1, message);
          expect(group.packets).toEqual([]);
        }
    for (const timer of ['election', 'grace', 'join', 'ping', 'quorum'] as const)
      group.fire(1, timer);
    expect(group.packets).toEqual([]);
  });

  test('asks again whoever has not answered, and counts nobody twice', () => {
    const group = emptied();
    group.settle(links([0, 1]));
    group.timeout(1, 'rejoin');
    expect(group.packets.map(({ to }) => to)).toEqual([2]);
    const { nonce } = group.view(1).rejoining ?? { nonce: 0 };
    const answer = { acceptedEpoch: 1, acceptedFrom: 2, currentEpoch: 1, lastZxid: zxid(1, 1) };
    group.inject(0, 1, { kind: 'rejoin-reply', nonce, ...answer });
    expect(group.nodes[1]?.machine.status().role).toBe('rejoining');
    // What answers an earlier loss tells nothing about this one.
    group.inject(2, 1, { kind: 'rejoin-reply', nonce: nonce + 1, ...answer });
    expect(group.nodes[1]?.machine.status().role).toBe('rejoining');
    group.inject(2, 1, { kind: 'rejoin-reply', nonce, ...answer });
    expect(group.nodes[1]?.machine.status().role).toBe('looking');
  });

  test('promises what any other has promised, to whom they have', () => {
    const group = emptied();
    group.settle(of('rejoin', 'rejoin-reply'));
    expect(group.view(1)).toMatchObject({ acceptedEpoch: 1, acceptedFrom: 2, currentEpoch: 0 });
    expect(group.nodes[1]?.disk).toMatchObject({
      acceptedEpoch: 1,
      rejoining: { best: { currentEpoch: 1, zxid: zxid(1, 1) } },
    });
  });

  test('helps nobody to lead who lacks what it may have acknowledged', () => {
    const group = emptied();
    group.settle(of('rejoin', 'rejoin-reply'));
    group.crash(2);
    group.convene([0, 1]);
    expect([0, 1].map((id) => group.view(id).phase)).not.toContain('broadcast');
    // Whoever has it is back: x is committed.
    group.restart(2);
    group.convene([1, 2]);
    group.beat(2, among(1, 2));
    expect(group.nodes[2]?.decided).toEqual(['x']);
    expect(group.view(1).rejoining?.best).toEqual({ currentEpoch: 0, zxid: zxid(0, 0) });
  });

  test('does not lead itself before its history is as good as theirs', () => {
    const group = emptied();
    group.settle(of('rejoin', 'rejoin-reply'));
    group.fire(1, 'grace');
    expect(group.view(1).role).toBe('looking');
  });
});

describe('who is asked', () => {
  test('counts the member anew, and answers twice in an election timeout', () => {
    const group = emptied();
    expect(group.view(2).acked.get(1)).toBe(1);
    group.settle(of('rejoin', 'rejoin-reply'));
    expect(group.view(2).acked.get(1)).toBeUndefined();
    expect(group.view(2).learners.has(1)).toBe(false);
    let answers = 0;
    group.now += 1_000_000;
    for (let nonce = 1; nonce <= 100; nonce++) {
      group.now += 3_000;
      group.inject(1, 0, { kind: 'rejoin', nonce });
      answers += group.packets.splice(0).length;
    }
    expect(answers).toBe(2);
  });

  test('says nothing while it waits itself: two disks at once are one too many', () => {
    const group = emptied();
    group.packets.length = 0;
    group.crash(0);
    group.restart(0, 'lost');
    group.packets.length = 0;
    group.inject(0, 1, { kind: 'rejoin', nonce: 9 });
    expect(group.packets).toEqual([]);
  });

  test('names two proposers of one epoch to nobody as one that may have both', () => {
    const group = emptied();
    const { nonce } = group.view(1).rejoining ?? { nonce: 0 };
    const answer = { acceptedEpoch: 4, currentEpoch: 1, lastZxid: zxid(1, 1) };
    group.inject(0, 1, { kind: 'rejoin-reply', nonce, acceptedFrom: 0, ...answer });
    group.inject(2, 1, { kind: 'rejoin-reply', nonce, acceptedFrom: 2, ...answer });
    expect(group.view(1)).toMatchObject({ acceptedEpoch: 4, acceptedFrom: null });
  });
});
