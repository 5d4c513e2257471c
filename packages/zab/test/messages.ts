/** Messages that tests send by hand. */
import { command, digestOfText } from '@quorumlab/protocol-testing';
import type { ZabMessage } from '../src/index.ts';

/** The zxid `epoch`, `counter`. */
export const zxid = (epoch: number, counter: number): { epoch: number; counter: number } => ({
  epoch,
  counter,
});

/** One message of each kind, all of `epoch`, as a group of three may see them. */
export const oneOfEach = (epoch: number): readonly ZabMessage[] => {
  const transactions = [{ epoch, command: command('x') }];
  const previous = zxid(0, 0);
  const vote = { leader: 2, currentEpoch: epoch, zxid: zxid(epoch, 1) };
  return [
    { kind: 'notification', state: 'looking', round: epoch, ...vote },
    { kind: 'notification', state: 'following', round: epoch, ...vote },
    { kind: 'notification', state: 'leading', round: epoch, ...vote },
    { kind: 'cepoch', acceptedEpoch: epoch, acceptedFrom: 1 },
    { kind: 'newepoch', epoch, beat: 1 },
    {
      kind: 'ack-e',
      ...{ epoch, leader: 2, currentEpoch: epoch, beat: 1 },
      ...{ lastZxid: zxid(epoch, 1), held: zxid(epoch, 1) },
    },
    { kind: 'trunc', epoch, to: zxid(0, 0) },
    { kind: 'snap', epoch, zxid: zxid(epoch, 9), digest: digestOfText('state') },
    { kind: 'diff', epoch, previous, transactions },
    { kind: 'newleader', epoch, previous, transactions },
    { kind: 'ack-ld', epoch, zxid: zxid(epoch, 1), beat: 1 },
    { kind: 'commit-ld', epoch, zxid: zxid(epoch, 1) },
    { kind: 'propose', epoch, previous, transactions },
    { kind: 'ack', epoch, zxid: zxid(epoch, 1), beat: 1 },
    { kind: 'commit', epoch, zxid: zxid(epoch, 1) },
    { kind: 'ping', epoch, beat: 1, zxid: zxid(epoch, 1) },
    { kind: 'rejoin', nonce: 5 },
    {
      kind: 'rejoin-reply',
      ...{ nonce: 1, acceptedEpoch: epoch, acceptedFrom: 2, currentEpoch: epoch },
      lastZxid: zxid(epoch, 3),
    },
    { kind: 'inform', epoch, previous, transactions },
    { kind: 'sync', epoch, life: 0, question: 1 },
    { kind: 'sync-reply', epoch, life: 0, question: 1, zxid: zxid(epoch, 1) },
  ];
};
