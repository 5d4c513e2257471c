/** What signing a message promises, what breaks that, and what is signed inside a message. */
import { decode, encode, otherDigest } from '@quorumlab/core';
import { testDigest } from '@quorumlab/protocol-testing';
import { describe, expect, it } from 'vitest';
import {
  batchOf,
  checkpoint,
  idOf,
  one,
  oneOfEach,
  other,
  polkaOf,
  precommit,
  prevote,
  proposal,
  strange,
} from '../test/messages.ts';
import { make } from '../test/network.ts';
import type { Message, Proposal } from './messages.ts';

const network = make();
const { protocol } = network;
const vowsOf = (message: Message) => [...(protocol.vows?.(message) ?? [])];
const lie = (message: Message, fork = 0, known = batchOf(7)): Message =>
  protocol.conflict?.(message, fork, known) ?? message;

describe('a vow', () => {
  it.each<[Message, string, string]>([
    [proposal(2, one), 'proposal/2/1', `${idOf(one)} new`],
    [proposal(2, one, { validRound: 1 }), 'proposal/2/1', `${idOf(one)} 1`],
    [prevote(3, one, 2), 'prevote/3/1', `${idOf(one)} 2`],
    [prevote(3, null), 'prevote/3/1', 'nil new'],
    [precommit(3, one), 'precommit/3/1', idOf(one)],
    [precommit(3, null), 'precommit/3/1', 'nil'],
    [checkpoint(8), 'checkpoint/8', strange('c')],
  ])('of %o is about its place', (message, about, what) => {
    expect(vowsOf(message)).toEqual([[about, what]]);
    for (let fork = 0; fork < 4; fork++) {
      const [[same, said] = []] = vowsOf(lie(message, fork));
      expect([same, said === what]).toEqual([about, false]);
    }
  });

  it('of a vote or a checkpoint is broken in fifteen ways', () => {
    for (const message of [prevote(3, one), precommit(3, null), checkpoint(8)]) {
      const forks = Array.from({ length: 15 }, (_, fork) => vowsOf(lie(message, fork)).join());
      expect(new Set([...forks, vowsOf(message).join()]).size).toBe(16);
    }
  });

  it('of a proposal is broken by another value, as if it were new', () => {
    const valid = proposal(1, [...one, ...other], {
      validRound: 0,
      polka: polkaOf(network, 0, one),
    });
    const lies = [0, 1, 2, 3].map((fork) => lie(valid, fork) as Proposal);
    expect(lies.map(({ batch }) => batch)).toEqual([batchOf(7), [...other, ...one], other, []]);
    for (const { validRound, polka } of lies) expect([validRound, polka]).toEqual([null, null]);
    // Who knows of nothing to lie with says the same.
    expect(lie(proposal(0, []), 0, [])).toEqual(proposal(0, []));
  });

  it('is in nothing that only passes on what others have said', () => {
    const none = ['polka', 'decision', 'relay', 'status', 'fetch-batch', 'batch'];
    for (const message of oneOfEach(network).filter(({ kind }) =>
      [...none, 'stable-checkpoint'].includes(kind),
    )) {
      expect(vowsOf(message)).toEqual([]);
      expect(lie(message)).toBe(message);
    }
  });
});

describe('a message', () => {
  it('has its signed parts told to the host: certificates and requests', () => {
    const counts = oneOfEach(network).map((message) => [
      message.kind,
      [...(protocol.evidence?.(message) ?? [])].length,
    ]);
    expect(counts).toEqual([
      ['proposal', 1],
      ['proposal', 2],
      ['prevote', 0],
      ['prevote', 0],
      ['precommit', 0],
      ['precommit', 0],
      ['polka', 1],
      ['decision', 2],
      ['relay', 1],
      ['status', 0],
      ['fetch-batch', 0],
      ['batch', 1],
      ['checkpoint', 0],
      ['stable-checkpoint', 1],
    ]);
  });

  it.each(oneOfEach(network))('comes out of its bytes as it went in: $kind', (message) => {
    expect(decode(protocol.messages, encode(protocol.messages, message))).toEqual(message);
    expect(otherDigest(idOf(one), 0)).not.toBe(testDigest(protocol.messages, message));
  });
});
