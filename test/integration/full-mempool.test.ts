/** What a client sends beyond its share of a mempool is refused before its signature is checked. */
import { firstClient, maxWaitingOfClient, type Signature, seal } from '@quorumlab/core';
import { hotstuff } from '@quorumlab/hotstuff';
import { anyProtocol, keyValueStore, serviced } from '@quorumlab/log';
import { minbft } from '@quorumlab/minbft';
import { pbft } from '@quorumlab/pbft';
import { streamlet } from '@quorumlab/streamlet';
import { tendermint } from '@quorumlab/tendermint';
import { digestOf } from '@quorumlab/wire';
import { expect, test } from 'vitest';

const protocols = [
  anyProtocol(pbft({ n: 4, digest: digestOf })),
  anyProtocol(hotstuff({ n: 4, digest: digestOf })),
  anyProtocol(tendermint({ n: 4, digest: digestOf })),
  anyProtocol(streamlet({ n: 4, digest: digestOf })),
  anyProtocol(minbft({ n: 3, digest: digestOf })),
];

const request = (sequence: number) =>
  seal(
    {
      kind: 'request',
      client: firstClient,
      sequence,
      acknowledged: 0,
      operations: [new Uint8Array(1)],
    } as const,
    firstClient,
    new Uint8Array(64) as Signature,
  );

test.each(protocols)('$name has no room for more', (protocol) => {
  const machine = serviced(protocol).machine(0, { digest: digestOf, stateMachine: keyValueStore });
  const admits = (sequence: number) => machine.admits?.(request(sequence), 0);
  for (let sequence = 1; sequence <= maxWaitingOfClient; sequence++) {
    expect(admits(sequence)).toBe(true);
    const event = { type: 'message', message: request(sequence) } as const;
    machine.step({ now: 0, clock: { earliest: 0, latest: 0 }, event });
  }
  expect(admits(maxWaitingOfClient + 1)).toBe(false);
  // One that waits may have been lost on its way to others, and an earlier one comes first.
  expect(admits(maxWaitingOfClient)).toBe(true);
  expect(admits(0)).toBe(true);
});
