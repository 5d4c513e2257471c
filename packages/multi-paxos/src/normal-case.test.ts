import { among, command } from '@quorumlab/protocol-testing';
import { describe, expect, test } from 'vitest';
import { cluster } from '../test/cluster.ts';
import { multiPaxos } from './index.ts';

const kindsOf = (packets: readonly { readonly message: { readonly kind: string } }[]): object => {
  const counts: Record<string, number> = {};
  for (const { message } of packets) counts[message.kind] = (counts[message.kind] ?? 0) + 1;
  return counts;
};

describe('§3, the steady state', () => {
  test.each([3, 5, 7])('a commit is one round trip and no phase 1, n=%i', (n) => {
    const group = cluster(multiPaxos({ n }));
    group.elect(0);
    const sent: { readonly message: { readonly kind: string } }[] = [];
    for (let i = 0; i < 20; i++) {
      group.propose(0, `c${i}`);
      group.settle((packet) => sent.push(packet) > 0);
      // The leader knows at once; the others are told with the next command.
      expect(group.nodes[0]?.decided).toHaveLength(i + 1);
      expect(group.nodes[n - 1]?.decided).toHaveLength(i);
    }
    expect(kindsOf(sent)).toEqual({ accept: 20 * (n - 1), accepted: 20 * (n - 1) });
    group.fire(0, 'heartbeat');
    group.settle();
    for (const { decided } of group.nodes) expect(decided).toHaveLength(20);
  });

  test('commands that come while slots are open share the next slot', () => {
    const group = cluster(multiPaxos({ n: 3, pipeline: 2 }));
    group.elect(0);
    for (let i = 0; i < 10; i++) group.propose(0, `${i}`);
    expect(group.view(0).open.size).toBe(2);
    group.settle();
    expect(group.nodes[0]?.decided).toEqual(['0', '1', '2+3+4+5+6+7+8+9']);
  });

  test('a command that is asked for again while it waits gets one slot, from each leader', () => {
    const group = cluster(multiPaxos({ n: 3, pipeline: 1, maxCommandsPerSlot: 1 }));
    group.elect(0);
    const asked = ['x', 'y', 'z'].map(command);
    for (let i = 0; i < 5; i++) for (const each of asked) group.request(0, each);
    expect(group.view(0).waiting).toHaveLength(2);
    // The first reaches replica 1 and is chosen nowhere; it leads next and proposes it again.
    group.settle(({ to, message }) => to === 1 && message.kind === 'accept');
    group.packets.length = 0;
    group.elect(1, ({ message }) => message.kind !== 'accept');
    for (let i = 0; i < 5; i++) for (const each of asked) group.request(1, each);
    for (let i = 0; i < 3; i++) {
      group.fire(1, 'heartbeat');
      group.settle();
    }
    expect(group.nodes[1]?.decided).toEqual(['x', 'y', 'z']);
    expect(group.view(1).waitingKeys.size).toBe(0);
    expect(group.view(1).waitingBytes).toBe(0);
  });

  test('never more than alpha slots are open, however many commands wait', () => {
    const group = cluster(multiPaxos({ n: 3, alpha: 3, pipeline: 3, maxCommandsPerSlot: 1 }));
    group.elect(0);
    for (let i = 0; i < 10; i++) group.propose(0, `${i}`);
    expect([...group.view(0).open.keys()]).toEqual([0, 1, 2]);
    group.settle();
    expect(group.nodes[0]?.decided).toHaveLength(10);
  });

  test('a slot decided out of turn is executed in turn', () => {
    const group = cluster(multiPaxos({ n: 3, maxCommandsPerSlot: 1 }));
    group.elect(0);
    group.propose(0, 'a');
    group.propose(0, 'b');
    const [a1, a2, b1] = group.packets.slice();
    for (const packet of [b1, a1]) {
      if (packet === undefined) throw new Error('two accepts for each of two followers');
      group.deliver(packet);
      const answer = group.packets.at(-1);
      if (answer?.message.kind === 'accepted') group.deliver(answer);
      if (packet === b1) expect(group.nodes[0]?.decided).toEqual([]);
    }
    expect(a2?.message.kind).toBe('accept');
    expect(group.nodes[0]?.decided).toEqual(['a', 'b']);
  });

  test('a follower passes commands on to the leader, and nobody passes them on again', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.propose(1, 'nobody leads');
    expect(group.packets).toEqual([]);
    group.elect(0);
    group.propose(1, 'a');
    expect(kindsOf(group.packets)).toEqual({ forward: 1 });
    group.settle();
    expect(group.nodes[0]?.decided).toEqual(['a']);
    const [forward] = [{ kind: 'forward', command: group.view(0).accepted.get(0)?.value[0] }];
    if (forward.command === undefined) throw new Error('slot 0 holds a command');
    group.inject(0, 2, { kind: 'forward', command: forward.command });
    expect(group.packets).toEqual([]);
  });

  test('the leader counts its own vote only once it is durable', () => {
    const group = cluster(multiPaxos({ n: 3 }), { instantSync: false });
    const sync = (): void => {
      for (const node of group.nodes) node.finishSync?.();
    };
    group.timeout(0, 'election');
    for (let i = 0; i < 10; i++) {
      sync();
      group.settle();
    }
    expect(group.view(0).role).toBe('leader');
    group.propose(0, 'a');
    group.settle(among(0));
    sync();
    // Its own vote is on the disk; those of the others were lost on the way.
    expect(group.view(0).open.get(0)?.accepted).toEqual([0]);
    expect(group.nodes[0]?.decided).toEqual([]);
  });

  test('what a link loses is sent again once the follower is known to listen', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    group.propose(0, 'a');
    group.settle(() => false);
    group.fire(0, 'heartbeat');
    group.settle();
    group.fire(0, 'heartbeat');
    group.settle();
    expect(group.nodes[0]?.decided).toEqual(['a']);
  });
});

describe('rule 10: learning by the commit notice', () => {
  test('a follower asks for what it holds in another ballot', () => {
    const group = cluster(multiPaxos({ n: 3 }));
    group.elect(0);
    group.propose(0, 'a');
    group.settle(among(0, 2));
    // Follower 1 holds nothing; the new leader 2 chose slot 0 before it led.
    group.crash(0);
    group.elect(2, among(1, 2));
    group.fire(2, 'heartbeat');
    group.settle(among(1, 2));
    expect(group.nodes[1]?.decided).toEqual(['a']);
  });

  test('a gap is asked for after a while, and nothing is asked while it may still come', () => {
    const group = cluster(multiPaxos({ n: 3, maxCommandsPerSlot: 1 }));
    group.elect(0);
    group.propose(0, 'a');
    group.settle(among(0, 1));
    group.propose(0, 'b');
    group.settle();
    group.fire(0, 'heartbeat');
    group.settle();
    expect(group.nodes[2]?.decided).toEqual([]);
    expect(group.nodes[2]?.timers.has('catch-up')).toBe(true);
    group.fire(2, 'catch-up');
    group.settle();
    expect(group.nodes[2]?.decided).toEqual(['a', 'b']);
  });
});
