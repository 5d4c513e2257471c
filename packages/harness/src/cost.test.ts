import { pbft } from '@quorumlab/pbft';
import { digestOf } from '@quorumlab/wire';
import { expect, test } from 'vitest';
import { costOfProtocol, protocolEntry, ScenarioError } from './index.ts';

test('Raft costs one round to the followers and two messages to each of them', () => {
  for (const n of [3, 4, 5, 31]) {
    const { kinds, total, delaysToDecision, delaysToReply } = costOfProtocol({
      protocol: 'raft',
      n,
    });
    expect(kinds).toMatchObject({
      'append-entries': { messages: n - 1 },
      'append-reply': { messages: n - 1 },
      request: { messages: 1 },
      reply: { messages: 1 },
    });
    expect(total).toMatchObject({ messages: 2 * n, signed: 0, verified: 0, syncs: n });
    expect({ delaysToDecision, delaysToReply }).toEqual({ delaysToDecision: 2, delaysToReply: 4 });
  }
});

test('PBFT costs three phases, and one signature per statement and node', () => {
  for (const n of [4, 7]) {
    const { kinds, total, replica, client, delaysToDecision, delaysToReply } = costOfProtocol({
      protocol: 'pbft',
      n,
    });
    expect(kinds).toMatchObject({
      'pre-prepare': { messages: n - 1 },
      prepare: { messages: (n - 1) ** 2 },
      commit: { messages: n * (n - 1) },
    });
    // The request, the pre-prepare, a prepare of each backup, a commit and a reply of each replica.
    expect(total.signed).toBe(1 + 1 + (n - 1) + n + n);
    expect(client).toMatchObject({ messages: 1, signed: 1, verified: n });
    expect(replica).toMatchObject({ signed: 3 });
    expect({ delaysToDecision, delaysToReply }).toEqual({ delaysToDecision: 3, delaysToReply: 5 });
  }
});

test('a log with one position is counted from the first message on', () => {
  const n = 4;
  const { kinds, once, commits } = costOfProtocol({ protocol: 'basic-paxos', n, f: 1 });
  expect({ once, commits }).toEqual({ once: true, commits: 1 });
  expect(kinds).toMatchObject({
    prepare: { messages: n - 1 },
    promise: { messages: n - 1 },
    accept: { messages: n - 1 },
    request: { messages: 1 },
  });
  expect(kinds).not.toHaveProperty('refusal');
});

test('signatures are counted as a real keyring counts them, and frames are as long', () => {
  const given = { protocol: 'pbft', commits: 3, warmUp: 2 } as const;
  expect(costOfProtocol({ ...given, realSignatures: true })).toEqual(costOfProtocol(given));
});

test('checkpoints and view changes are counted when they are asked for', () => {
  const often = { protocol: 'pbft', options: { checkpointEvery: 2 } } as const;
  expect(costOfProtocol(often).kinds.checkpoint?.messages).toBe((4 * 3) / 2);
  expect(costOfProtocol({ protocol: 'pbft' }).kinds).not.toHaveProperty('checkpoint');
  const { replacement } = costOfProtocol({ protocol: 'pbft', replacement: true });
  expect(replacement?.messages).toBeGreaterThan(4);
});

test("the costs of a protocol of one's own can be measured, and a silent one says so", () => {
  const own = protocolEntry({
    title: 'PBFT, not registered',
    right: (options) => pbft({ ...options, digest: digestOf }),
  });
  expect(costOfProtocol({ protocol: 'pbft', entry: own })).toEqual(
    costOfProtocol({ protocol: 'pbft' }),
  );
  const mute = protocolEntry({
    title: 'PBFT, deaf',
    right: (options) => ({ ...pbft({ ...options, digest: digestOf }), propose() {} }),
  });
  expect(() => costOfProtocol({ protocol: 'pbft', entry: mute })).toThrow(ScenarioError);
});
