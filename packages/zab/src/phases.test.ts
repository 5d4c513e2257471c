/** The steps of the paper, one after the other, and what ZooKeeper adds to them. */
import { among, links } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { type Cluster, cluster, of, type Packet, zooKeeper } from '../test/cluster.ts';
import { zxid } from '../test/messages.ts';
import type { ZabMessage } from './index.ts';

const fresh = (n = 3): Cluster => cluster(zooKeeper({ n }));
const kindsOf = (packets: readonly Packet[]): ZabMessage['kind'][] =>
  packets.map(({ message }) => message.kind);

/** A group of three led by 2, in epoch 1. */
function led(): Cluster {
  const group = fresh();
  group.convene([0, 1, 2]);
  return group;
}

describe('phase 0, election', () => {
  test('of equal histories, the highest id leads', () => {
    expect(led().nodes.map(({ machine }) => machine.status().role)).toEqual([
      'follower',
      'follower',
      'leader',
    ]);
  });

  test('the later current epoch wins over the later zxid, that over the higher id', () => {
    const group = led();
    group.propose(2, 'x');
    group.settle(links([0, 2]));
    group.convene([0, 1]);
    // 0 has (1, 1) and 1 has nothing: 0 leads epoch 2, though 1 has the higher id.
    expect(group.view(0)).toMatchObject({ role: 'leading', phase: 'broadcast', epoch: 2 });
    group.propose(2, 'y');
    group.packets.length = 0;
    // 2 has (1, 2), of an epoch that is over.
    group.convene([1, 2]);
    expect(group.view(1)).toMatchObject({ role: 'leading', epoch: 3 });
    expect(group.historyOf(2)).toEqual(['1x']);
  });

  test('a quorum waits a moment for a better nomination, all members do not', () => {
    const group = fresh();
    for (const id of [0, 1, 2]) group.timeout(id, 'election');
    group.settle((packet) => among(0, 1)(packet) && of('notification')(packet));
    expect(group.view(1)).toMatchObject({ role: 'looking', vote: { leader: 1 } });
    expect(group.nodes[1]?.timers.has('grace')).toBe(true);
    // 2 is heard within that moment.
    for (const id of [0, 1]) group.inject(2, id, notification(group, 2));
    group.settle(of('notification'));
    expect(group.view(0).vote.leader).toBe(2);
    expect([0, 1, 2].map((id) => group.view(id).role)).toEqual([
      'following',
      'following',
      'leading',
    ]);
  });

  test('who comes late follows whom a quorum follows, and not whom one only names', () => {
    const group = fresh();
    group.convene([1, 2]);
    group.timeout(0, 'election');
    group.packets.length = 0;
    group.inject(1, 0, notification(group, 1));
    expect(group.view(0).role).toBe('looking');
    group.inject(2, 0, notification(group, 2));
    expect(group.view(0)).toMatchObject({ role: 'following', leader: 2 });
    group.settle();
    group.beat(2);
    expect(group.nodes[0]?.machine.status()).toMatchObject({ role: 'follower', leader: 2 });
  });

  test('who looks counts itself with those that have a leader: of four, two are no quorum', () => {
    const group = fresh(4);
    group.timeout(0, 'election');
    group.packets.length = 0;
    const vote = { leader: 3, currentEpoch: 0, zxid: zxid(0, 0) };
    group.inject(3, 0, { kind: 'notification', state: 'looking', round: 1, ...vote });
    group.inject(1, 0, { kind: 'notification', state: 'following', round: 1, ...vote });
    expect(group.view(0).role).toBe('looking');
    group.inject(3, 0, { kind: 'notification', state: 'leading', round: 1, ...vote });
    expect(group.view(0)).toMatchObject({ role: 'following', leader: 3 });
  });

  test('a follower whose leader looks for one itself looks too', () => {
    const group = led();
    group.crash(2);
    group.restart(2);
    group.timeout(2, 'election');
    group.settle(of('notification'));
    expect([0, 1].map((id) => group.view(id).leader)).not.toContain(null);
    expect(group.lines.has('lost-leader')).toBe(true);
  });

  const notification = (group: Cluster, id: number): ZabMessage => {
    const { role, round, vote } = group.view(id);
    return { kind: 'notification', state: role, round, ...vote };
  };
});

describe('phase 1, discovery', () => {
  /** 2 is elected by all, and nothing of phase 1 has arrived. */
  function elected(): Cluster {
    const group = fresh();
    for (const id of [0, 1, 2]) {
      group.crash(id);
      group.restart(id);
    }
    group.nominate([0, 1, 2]);
    return group;
  }

  test('ℓ.1.1: the epoch is later than all that a quorum has promised, and durable first', () => {
    const group = elected();
    const [cepoch] = group.packets.filter(of('cepoch'));
    if (cepoch === undefined) throw new Error('a follower sends CEPOCH');
    const output = group.wouldAnswer(cepoch.from, 2, {
      kind: 'cepoch',
      acceptedEpoch: 6,
      acceptedFrom: 0,
    });
    expect(output.writes).toEqual([
      { type: 'save', registers: { acceptedEpoch: 7, acceptedFrom: 2 } },
    ]);
    expect(output.early).toEqual([]);
    expect(output.sends.map(({ message }) => message)).toContainEqual({
      kind: 'newepoch',
      epoch: 7,
      beat: 0,
    });
  });

  test('f.1.2: the promise is durable before ACK-E says so, and nothing older is promised', () => {
    const group = elected();
    const { writes, sends, early } = group.wouldAnswer(2, 0, {
      kind: 'newepoch',
      epoch: 4,
      beat: 0,
    });
    expect(writes).toEqual([{ type: 'save', registers: { acceptedEpoch: 4, acceptedFrom: 2 } }]);
    expect(sends.map(({ message }) => message.kind)).toEqual(['ack-e']);
    expect(early).toEqual([]);
    group.inject(2, 0, { kind: 'newepoch', epoch: 4, beat: 0 });
    group.convene([0, 1], () => false);
    // 1 leads now, and has not heard of epoch 4.
    group.inject(1, 0, { kind: 'newepoch', epoch: 3, beat: 0 });
    expect(group.view(0)).toMatchObject({ acceptedEpoch: 4, role: 'looking' });
  });

  test('f.1.2: one epoch is promised to one leader, and to that again after a restart', () => {
    const group = elected();
    group.inject(2, 0, { kind: 'newepoch', epoch: 4, beat: 0 });
    group.convene([0, 1], () => false);
    const toAnother = group.wouldAnswer(1, 0, { kind: 'newepoch', epoch: 4, beat: 0 });
    expect(toAnother.sends.map(({ message }) => message.kind)).not.toContain('ack-e');
    group.convene([0, 2], () => false);
    const again = group.wouldAnswer(2, 0, { kind: 'newepoch', epoch: 4, beat: 0 });
    expect(again.sends.map(({ message }) => message.kind)).toEqual(['ack-e']);
  });

  test('ℓ.1.2: who has a worse history than one of its quorum leaves the lead', () => {
    const group = elected();
    group.settle(of('cepoch', 'newepoch'));
    const better = { currentEpoch: 0, lastZxid: zxid(0, 5), held: zxid(0, 5) };
    const { epoch } = group.view(2);
    group.inject(0, 2, { kind: 'ack-e', epoch, leader: 2, beat: 0, ...better });
    expect(group.view(2)).toMatchObject({ role: 'looking', epoch: 0 });
    expect(group.lines.has('l-1-2-leave')).toBe(true);
  });

  test('an established leader makes room for who has promised a later epoch to another', () => {
    const group = led();
    group.inject(0, 2, { kind: 'cepoch', acceptedEpoch: 1, acceptedFrom: 2 });
    expect(group.view(2).role).toBe('leading');
    group.inject(0, 2, { kind: 'cepoch', acceptedEpoch: 1, acceptedFrom: 1 });
    expect(group.view(2).role).toBe('looking');
  });
});

describe('phase 2, synchronization', () => {
  test('ℓ.2.2: nothing is committed before a quorum has the history of the epoch', () => {
    const group = led();
    group.propose(2, 'x');
    group.settle(links([1, 2]));
    group.convene([0, 1], (packet) => !of('ack-ld')(packet));
    expect(group.view(1)).toMatchObject({ role: 'leading', phase: 'synchronization' });
    expect(group.historyOf(0)).toEqual(['1x']);
    expect([0, 1].map((id) => group.view(id).delivered)).toEqual([0, 0]);
    group.beat(1);
    expect([0, 1].map((id) => group.view(id).delivered)).toEqual([1, 1]);
  });

  test('f.2.1: history, epoch and ACK-LD, in this order or not at all', () => {
    const group = led();
    group.propose(2, 'x');
    group.settle(links([1, 2]));
    group.convene([0, 1], of('cepoch', 'newepoch', 'ack-e'));
    const previous = zxid(0, 0);
    const transactions = [...group.view(1).history.values()];
    const message: ZabMessage = { kind: 'newleader', epoch: 2, previous, transactions };
    const { writes, sends, early } = group.wouldAnswer(1, 0, message);
    expect(writes.map(({ type }) => type)).toEqual(['put', 'save']);
    expect(sends.map(({ message: said }) => said.kind)).toEqual(['ack-ld']);
    expect(early).toEqual([]);
    // The epoch is not current if the history does not end where that of the epoch ends.
    const later = { ...message, previous: zxid(1, 1), transactions: [] };
    expect(group.wouldAnswer(1, 0, later).writes).toEqual([]);
  });

  test('what the leader has not is cut off, on disk too', () => {
    const group = led();
    for (const text of ['x', 'y']) group.propose(2, text);
    group.packets.length = 0;
    group.convene([0, 1]);
    group.propose(1, 'z');
    group.settle(among(0, 1));
    group.crash(2);
    group.restart(2);
    group.nominate([2]);
    group.settle();
    expect(group.lines.has('trunc')).toBe(true);
    expect(group.historyOf(2)).toEqual(['2z']);
    expect([...(group.nodes[2]?.disk.history.values() ?? [])]).toHaveLength(1);
    expect(group.disagreements).toEqual([]);
  });

  test('what does not fit into NEWLEADER goes before it', () => {
    const group = cluster(zooKeeper({ n: 3, maxPerMessage: 2 }));
    group.convene([1, 2]);
    for (let i = 0; i < 5; i++) group.propose(2, `${i}`);
    group.settle(links([1, 2]));
    group.nominate([0]);
    group.settle((packet) => !of('commit-ld')(packet));
    expect(group.lines.has('diff')).toBe(true);
    expect(group.historyOf(0)).toHaveLength(5);
    expect(group.view(0).currentEpoch).toBe(1);
  });

  test('a leader that a quorum does not answer, and a follower without a leader, look', () => {
    const group = led();
    group.now += 1_000_000;
    group.fire(2, 'quorum');
    expect(group.view(2).role).toBe('looking');
    group.fire(0, 'election');
    expect(group.view(0).role).toBe('looking');
    expect(group.lines.has('lost-quorum')).toBe(true);
  });
});

describe('phase 3, broadcast', () => {
  test('ℓ.3.1 to f.3.3: PROPOSE, ACK, COMMIT; all followers deliver', () => {
    const group = led();
    group.propose(2, 'x');
    expect(kindsOf(group.packets)).toEqual(['propose', 'propose']);
    for (const packet of group.packets.splice(0)) group.deliver(packet);
    expect(kindsOf(group.packets)).toEqual(['ack', 'ack']);
    for (const packet of group.packets.splice(0)) group.deliver(packet);
    expect(kindsOf(group.packets)).toEqual(['commit', 'commit']);
    group.settle();
    expect(group.nodes.map(({ decided }) => decided.join())).toEqual(['x', 'x', 'x']);
  });

  test('ℓ.3.1: PROPOSE may overtake the disk; the leader counts itself once it is durable', () => {
    const group = cluster(zooKeeper({ n: 3 }), { instantSync: false });
    for (const id of [0, 1, 2]) group.timeout(id, 'election');
    for (let i = 0; i < 40; i++) {
      for (const { finishSync } of group.nodes) finishSync?.();
      for (const packet of group.packets.splice(0)) group.deliver(packet);
    }
    expect(group.nodes[2]?.machine.status().role).toBe('leader');
    group.propose(2, 'x');
    expect(kindsOf(group.packets)).toEqual(['propose', 'propose']);
    const [packet] = group.packets.splice(0);
    if (packet !== undefined) group.deliver(packet);
    group.nodes[packet?.to ?? 0]?.finishSync?.();
    group.settle();
    expect(group.view(2).committed).toBe(0);
    group.nodes[2]?.finishSync?.();
    expect(group.view(2).committed).toBe(1);
  });

  test('f.3.2: a proposal is durable before it is acknowledged', () => {
    const group = led();
    const transactions = [{ epoch: 1, command: null }];
    const message: ZabMessage = { kind: 'propose', epoch: 1, previous: zxid(0, 0), transactions };
    const { writes, sends, early } = group.wouldAnswer(2, 0, message);
    expect(writes).toMatchObject([{ type: 'put', table: 'history', index: 1 }]);
    expect(sends).toMatchObject([{ to: 2, message: { kind: 'ack', zxid: zxid(1, 1) } }]);
    expect(early).toEqual([]);
  });

  test('ℓ.3.3, ℓ.3.4: who joins late gets what was proposed meanwhile', () => {
    const group = fresh();
    group.convene([1, 2]);
    group.propose(2, 'x');
    group.settle(links([1, 2]));
    group.nominate([0]);
    for (let i = 0; i < 9; i++) {
      const next = group.packets.find((packet) => !of('newleader')(packet));
      if (next !== undefined) group.deliver(next);
    }
    // NEWLEADER is under way to 0: what is proposed from now on goes to it too.
    expect(kindsOf(group.packets)).toEqual(['newleader']);
    group.propose(2, 'y');
    expect(group.packets.filter(({ to }) => to === 0).map(({ message }) => message.kind)).toEqual([
      'newleader',
      'propose',
    ]);
    group.settle();
    expect(group.nodes[0]?.decided).toEqual(['x', 'y']);
  });

  test('commands and reads are for an established leader, and for a bounded number of them', () => {
    const group = cluster(zooKeeper({ n: 3, maxUncommitted: 2, maxReads: 1 }));
    group.convene([0, 1, 2], of('cepoch', 'newepoch', 'ack-e'));
    group.propose(2, 'x');
    group.step(2, { type: 'read', id: 1 });
    expect(group.historyOf(2)).toEqual([]);
    group.beat(2);
    expect(group.nodes[2]?.machine.status().role).toBe('leader');
    for (const text of ['a', 'b', 'c']) group.propose(2, text);
    expect(group.historyOf(2)).toEqual(['1a', '1b']);
    group.propose(0, 'd');
    expect(group.historyOf(0)).toEqual([]);
  });

  test('sync: reads wait for a no-op that a quorum has, and share it', () => {
    const group = led();
    for (const id of [7, 8]) group.step(2, { type: 'read', id });
    expect(group.historyOf(2)).toEqual(['1-']);
    expect(group.nodes[2]?.reads).toEqual([]);
    group.settle();
    // The second one came while the first no-op was under way, and waited for the next.
    expect(group.nodes[2]?.reads).toEqual([
      { id: 7, upTo: 0 },
      { id: 8, upTo: 1 },
    ]);
    group.convene([0, 1]);
    group.step(2, { type: 'read', id: 9 });
    group.settle(among(0, 1));
    expect(group.nodes[2]?.reads).toHaveLength(2);
  });
});
