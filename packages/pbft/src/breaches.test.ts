/** Which two statements no honest replica signs, though they break no vow together. */
import { testDigest } from '@quorumlab/protocol-testing';
import { expect, test } from 'vitest';
import {
  batchOf,
  claim,
  digestOf,
  newView,
  prePrepare,
  strange,
  viewChange,
  vote,
} from '../test/messages.ts';
import { Network } from '../test/network.ts';
import { breaches } from './breaches.ts';
import { pbft } from './index.ts';
import type { Message } from './messages.ts';

const network = new Network(pbft({ n: 4, digest: testDigest }));
const digest = digestOf(batchOf(1));
const commit = vote('commit', 5, digest, 2);

/** Why nobody honest signs both, whichever rule says it. */
const whyNot = (one: Message, other: Message): string | undefined => {
  for (const { kinds, at, why } of breaches)
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const)
      if (first.kind === kinds[0] && second.kind === kinds[1] && at?.(first) === at?.(second)) {
        const reason = why(first, second, () => undefined);
        if (reason !== undefined) return reason;
      }
  return undefined;
};
const covered = (sequence: number) => ({ checkpoint: { sequence, digest: strange('c') } });
const orders = (sequence: number, what = strange('d')) =>
  newView(network, 2, { orders: [{ sequence, digest: what }] });

test.each<[string, Message, Message]>([
  ['forgets', commit, viewChange(3)],
  ['forgets, views later', commit, viewChange(9, { prepared: [claim(6, digest, 2)] })],
  ['reports an older one', commit, viewChange(3, { prepared: [claim(5, digest, 1)] })],
  [
    'reports another of the same view',
    commit,
    viewChange(3, { prepared: [claim(5, strange('d'), 2)] }),
  ],
  ['hides behind a checkpoint below', commit, viewChange(3, covered(4))],
  ['prepares another', commit, vote('prepare', 5, strange('d'), 2)],
  ['commits what it did not order', prePrepare(5, batchOf(7), 2), commit],
  ['prepares what it did not order', prePrepare(5, batchOf(7), 2), vote('prepare', 5, digest, 2)],
  ['commits what its new view does not order', orders(5), commit],
])('who %s is guilty', (_, one, other) => {
  expect(whyNot(one, other)).toMatch(/^(signed|committed) /);
});

test.each<[string, Message, Message]>([
  ['leaves for an earlier view', commit, viewChange(2)],
  ['reports it', commit, viewChange(3, { prepared: [claim(5, digest, 2)] })],
  [
    'was shown a later certificate',
    commit,
    viewChange(9, { prepared: [claim(5, strange('d'), 4)] }),
  ],
  ['has a checkpoint above', commit, viewChange(3, covered(5))],
  ['prepares the same', commit, vote('prepare', 5, digest, 2)],
  ['prepares another elsewhere', commit, vote('prepare', 6, strange('d'), 2)],
  ['prepares another in another view', commit, vote('prepare', 5, strange('d'), 3)],
  ['orders the same', orders(5, digest), commit],
  ['orders another elsewhere', orders(6), commit],
])('who %s may be honest', (_, one, other) => {
  expect(whyNot(one, other)).toBeUndefined();
});
