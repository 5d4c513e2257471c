/** What a number of the trusted counter promises, and what is signed inside a message. */
import { decode, encode } from '@quorumlab/core';
import { testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import { batchOf, idOf } from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import type { Checkpoint, Message, Prepare } from './messages.ts';

const prepare: Prepare = {
  kind: 'prepare',
  number: 4,
  view: 1,
  sequence: 3,
  digest: idOf(batchOf(1)),
};
const checkpoint: Checkpoint = {
  kind: 'checkpoint',
  number: 5,
  sequence: 4,
  digest: 'c'.repeat(64),
};

/** One message of each kind, and for those that have a number what it stands for. */
const oneOfEach = (network: Network): readonly (readonly [Message, string, number])[] => {
  const proof = [0, 2].map((from) => network.sign(checkpoint, from));
  const signed = network.sign(prepare, 1);
  const changes = [
    { member: 0, number: 7 },
    { member: 1, number: 8 },
  ];
  const anchor = {
    member: 0,
    number: 9,
    sequence: 4,
    view: 1,
    changes: [{ number: 3, view: 1 }],
    begun: true,
    orders: [{ sequence: 5, digest: idOf([]) }],
  };
  return [
    [prepare, `prepare 1 3 ${idOf(batchOf(1))}`, 0],
    [{ kind: 'commit', number: 6, prepare: signed }, `commit 1 4 1 3 ${idOf(batchOf(1))}`, 1],
    [checkpoint, `checkpoint  4 ${'c'.repeat(64)}`, 0],
    [
      { kind: 'view-change', number: 7, view: 2, stable: proof },
      `view-change 2 0:5:4:${'c'.repeat(64)} 2:5:4:${'c'.repeat(64)}`,
      2,
    ],
    [{ kind: 'view-change', number: 7, view: 2, stable: [] }, 'view-change 2', 0],
    [{ kind: 'new-view', number: 8, view: 2, changes }, 'new-view 2 0:7 1:8', 0],
    [{ kind: 'batch', batch: batchOf(1) }, '', 1],
    [{ kind: 'relay', requests: [...batchOf(1), ...batchOf(2)] }, '', 2],
    [{ kind: 'req-view-change', view: 3 }, '', 0],
    [{ kind: 'status', view: 1, stable: 4, executed: 6, heard: [3, 2, 1] }, '', 0],
    [{ kind: 'said', statement: signed }, '', 1],
    [{ kind: 'stable-checkpoint', proof, anchors: [anchor] }, '', 2],
    [{ kind: 'fetch-batch', sequence: 3, digest: idOf(batchOf(1)) }, '', 0],
  ];
};

describe('a number', () => {
  it('stands for one text, and only what needs one has it', () => {
    const network = make();
    const { protocol } = network;
    for (const [message, text, proven] of oneOfEach(network)) {
      const number = 'number' in message ? message.number : undefined;
      const vows = [...(protocol.vows?.(message) ?? [])];
      expect(vows).toEqual(number === undefined ? [] : [[`counter/${number}`, text]]);
      expect(protocol.numbered?.(message)).toBe(number);
      expect([...(protocol.evidence?.(message) ?? [])], message.kind).toHaveLength(proven);
    }
  });

  it('says something else if it is told to break its word', () => {
    const network = make();
    const { protocol } = network;
    const known = [...batchOf(1), ...batchOf(2), ...batchOf(3)];
    const lie = (message: Message, fork: number) =>
      protocol.conflict?.(message, fork, known) ?? message;
    const digests = [0, 1, 2, 3].map((fork) => (lie(prepare, fork) as Prepare).digest);
    expect(digests).toEqual([batchOf(2), batchOf(3), [], batchOf(2)].map(idOf));
    // The batch of another prepare goes with it.
    const batches = [0, 1, 2].map((fork) => lie({ kind: 'batch', batch: batchOf(1) }, fork));
    expect(batches).toEqual(
      [batchOf(2), batchOf(3), []].map((batch) => ({ kind: 'batch', batch })),
    );
    expect(protocol.conflict?.({ kind: 'batch', batch: [] }, 0, [])).toEqual({
      kind: 'batch',
      batch: [],
    });
    for (const [message, text] of oneOfEach(network)) {
      const [[, said] = []] = [...(protocol.vows?.(lie(message, 0)) ?? [])];
      const isBroken =
        !['commit', ''].includes(text.split(' ')[0] ?? '') && text !== 'view-change 2';
      expect([message.kind, (said ?? '') !== text]).toEqual([message.kind, isBroken]);
      if (text === '' && message.kind !== 'batch') expect(lie(message, 0)).toBe(message);
    }
  });
});

describe('a message', () => {
  it('comes out of its bytes as it went in', () => {
    const network = make();
    const { messages } = network.protocol;
    for (const [message] of oneOfEach(network)) {
      expect(decode(messages, encode(messages, message))).toEqual(message);
      expect(testDigest(messages, message)).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});
