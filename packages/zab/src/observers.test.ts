/** Observers, and reads at those that do not lead. */
import { among } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, of } from '../test/cluster.ts';
import { zab } from './index.ts';

/** 0 leads 1 and 2; 3 observes. */
function observed(): Cluster {
  const group = cluster(zab({ n: 4, observers: 1, followerReads: true }));
  group.convene([0, 1, 2]);
  joins(group, 3);
  return group;
}

/** `id` starts again and looks for whom to follow. */
function joins(group: Cluster, id: number): void {
  group.crash(id);
  group.restart(id);
  group.timeout(id, 'election');
  group.settle();
  group.beat(0);
}

const rolesOf = (group: Cluster) => group.nodes.map(({ machine }) => machine.status().role);

describe('an observer', () => {
  test('follows whom the voters follow, and has what they had committed', () => {
    const group = cluster(zab({ n: 4, observers: 1 }));
    group.convene([0, 1, 2]);
    for (const text of ['Ann', 'Bob']) group.propose(0, text);
    group.settle(among(0, 1, 2));
    joins(group, 3);
    expect(rolesOf(group)).toEqual(['leader', 'follower', 'follower', 'observer']);
    expect(group.historyOf(3)).toEqual(group.historyOf(0));
    expect(group.view(3).delivered).toBe(2);
  });

  test('hears of a transaction once it is committed, and of no proposal', () => {
    const group = observed();
    group.propose(0, 'Ann');
    group.settle(among(0, 3));
    expect(group.view(3).history.size).toBe(0);
    for (let i = 0; i < 3; i++) group.beat(0);
    expect(group.historyOf(3)).toEqual(['1Ann']);
    expect(group.view(3).delivered).toBe(1);
  });

  test('is no part of any quorum: with it and without two voters nothing is committed', () => {
    const group = observed();
    group.crash(1);
    group.crash(2);
    group.propose(0, 'Ann');
    group.settle();
    for (let i = 0; i < 3; i++) group.beat(0);
    expect(group.view(0).committed).toBe(0);
    // Nor does it keep a leader in office.
    group.timeout(0, 'quorum');
    group.timeout(0, 'quorum');
    expect(rolesOf(group)[0]).toBe('looking');
  });

  test('elects nobody, and nobody waits for it to be elected', () => {
    const group = cluster(zab({ n: 4, observers: 1 }));
    group.convene([0, 2, 3]);
    expect(rolesOf(group).filter((role) => role === 'leader')).toHaveLength(1);
    const alone = cluster(zab({ n: 4, observers: 1 }));
    alone.convene([0, 3]);
    expect(rolesOf(alone)).not.toContain('leader');
  });

  test('has promised nothing: without its disk it joins anew, without asking anybody', () => {
    const group = observed();
    group.propose(0, 'Ann');
    group.settle();
    group.crash(3);
    group.restart(3, 'lost');
    expect(rolesOf(group)[3]).toBe('looking');
    group.timeout(3, 'election');
    group.settle();
    group.beat(0);
    group.beat(0);
    expect(group.historyOf(3)).toEqual(['1Ann']);
    expect(group.view(3).delivered).toBe(1);
  });

  test('what is lost on the way to it is sent again', () => {
    const group = observed();
    for (const text of ['Ann', 'Bob', 'Cleo']) {
      group.propose(0, text);
      group.settle((packet) => !of('inform')(packet));
    }
    for (let i = 0; i < 4; i++) group.beat(0);
    expect(group.historyOf(3)).toEqual(['1Ann', '1Bob', '1Cleo']);
  });
});

describe('the options of a group with observers', () => {
  test('count voters only', () => {
    expect(zab({ n: 5, observers: 2 }).f).toBe(1);
    expect(() => zab({ n: 5, f: 2, observers: 1 })).toThrow(
      '4 voters cannot survive 2 crashes: the 2 left are no majority of 4, so use n = 6 or more',
    );
    expect(() => zab({ n: 3, observers: 3 })).toThrow(
      'observers is 3; use an integer of 0 or more',
    );
  });
});

const readAt = (group: Cluster, id: number, read: number): void =>
  group.step(id, { type: 'read', id: read });
const readsOf = (group: Cluster, id: number) => group.nodes[id]?.reads ?? [];

describe.each([1, 3])('a read at %i, which does not lead', (id) => {
  test('waits for a no-op that a quorum has, and for what comes before it', () => {
    const group = observed();
    group.propose(0, 'Ann');
    group.settle(among(0, 1, 2));
    readAt(group, id, 7);
    expect(readsOf(group, id)).toEqual([]);
    group.settle();
    // Slots count from 0: Ann is in the first, and the no-op in the second.
    expect(readsOf(group, id)).toEqual([{ id: 7, upTo: 1 }]);
  });

  test('is not allowed by a leader that no quorum follows, until one does', () => {
    const group = observed();
    readAt(group, id, 7);
    group.settle(among(0, 3));
    for (let i = 0; i < 3; i++) group.beat(0, among(0, 3));
    expect(readsOf(group, id)).toEqual([]);
    // What was lost is asked again, once it is old.
    group.now += 300_000;
    for (let i = 0; i < 3; i++) group.beat(0);
    expect(readsOf(group, id).map((each) => each.id)).toEqual([7]);
  });

  test('shares a question with others, and only the answer to the last one counts', () => {
    const group = observed();
    for (const read of [1, 2, 3]) readAt(group, id, read);
    expect(group.packets.filter(of('sync'))).toHaveLength(1);
    group.packets.length = 0;
    const { epoch, life, questions: question } = group.view(id);
    const zxid = { epoch, counter: 1 };
    for (const wrong of [{ life: life + 1 }, { question: question + 1 }, { epoch: epoch + 1 }])
      group.inject(0, id, { kind: 'sync-reply', epoch, life, question, zxid, ...wrong });
    expect(readsOf(group, id)).toEqual([]);
    group.inject(0, id, { kind: 'sync-reply', epoch, life, question, zxid });
    // Those that came meanwhile go with the next question.
    expect(readsOf(group, id)).toEqual([{ id: 1, upTo: 0 }]);
    expect(group.packets.filter(of('sync'))).toHaveLength(1);
    group.settle();
    expect(readsOf(group, id).map((each) => each.id)).toEqual([1, 2, 3]);
  });
});

test('no more reads wait at a follower than were allowed', () => {
  const group = cluster(zab({ n: 3, followerReads: true, maxReads: 2 }));
  group.convene([0, 1, 2]);
  for (const read of [1, 2, 3]) readAt(group, 1, read);
  for (let i = 0; i < 3; i++) group.settle();
  expect(readsOf(group, 1).map((each) => each.id)).toEqual([1, 2]);
});
