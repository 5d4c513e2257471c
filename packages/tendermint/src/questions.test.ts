/** What a replica makes of every message, and of those that differ from it in one thing. */
import * as files from 'node:fs';
import { askedIn, keeper, type Sheet } from '@quorumlab/protocol-testing';
import { expect, it } from 'vitest';
import {
  batchOf,
  certificate,
  checkpoint,
  decision,
  idOf,
  names,
  one,
  oneOfEach,
  other,
  polkaOf,
  precommit,
  prevote,
  proposal,
  stable,
  status,
  strange,
} from '../test/messages.ts';
import { make, type Network } from '../test/network.ts';
import type { Message } from './messages.ts';

const keep = keeper(
  files,
  (name) => new URL(`../test/runs/${name}.txt`, import.meta.url),
  process.env,
);
/** A test that writes what the one on file says. */
const kept = (name: string, words: string, play: (sheet: Sheet) => void): void =>
  it(words, () => expect(keep(name, play)).not.toBe(''));

/** Who says it: a proposal is of the proposer. */
const sayer = (message: Message): number =>
  message.kind === 'proposal' ? (message.height - 1 + message.round) % 4 : 3;

/** Asks replica 2, as it is now, about `messages`. */
const askAbout = (network: Network, sheet: Sheet, messages: readonly Message[]): void =>
  askedIn(
    network,
    2,
    messages.map((each) => [sayer(each), each]),
    names,
    sheet,
  );

/** Replica 2 hears `messages`, each from whom it is said to be. */
function hear(network: Network, ...messages: readonly (readonly [number, Message])[]): void {
  for (const [from, message] of messages) network.inject(from, 2, message);
}

const fetch = (height: number, value: string): Message => ({ kind: 'fetch-batch', height, value });

kept(
  'questions-first',
  'at its first height it takes what is of its place, and nothing that is nearly so',
  (sheet) => {
    const network = make();
    askAbout(network, sheet, oneOfEach(network));
  },
);

kept(
  'questions-locked',
  'locked, in a later round, it judges values by when they were valid',
  (sheet) => {
    const network = make();
    hear(network, [0, proposal(0, one)], [2, prevote(0, one)], [0, prevote(0, one)]);
    hear(network, [1, prevote(0, one)], [0, precommit(0, one)]);
    for (const from of [0, 3]) hear(network, [from, prevote(4, null)]);
    const shown = (round: number, batch: typeof one, validRound: number): Message =>
      proposal(round, batch, { validRound, polka: polkaOf(network, validRound, batch) });
    askAbout(network, sheet, [
      ...oneOfEach(network),
      proposal(4, one),
      proposal(4, other),
      shown(4, other, 0),
      shown(4, other, 1),
      shown(4, one, 0),
      prevote(4, one, 0),
      prevote(4, one, 3),
      prevote(12, null),
      precommit(0, one),
      precommit(12, null),
      { kind: 'polka', polka: polkaOf(network, 4, one) },
      { kind: 'polka', polka: polkaOf(network, 3, other, [1, 2, 3], 1) },
      status({ round: 1 }),
      status({ validRound: 0 }),
      fetch(1, idOf(one)),
    ]);
  },
);

kept(
  'questions-short',
  'one vote short, it is taken on by the last one, and by that alone',
  (sheet) => {
    const network = make();
    hear(network, [0, proposal(0, one)], [2, prevote(0, one)], [0, prevote(0, one)]);
    hear(network, [0, precommit(0, one)], [1, precommit(0, one)], [3, checkpoint(8)]);
    hear(network, [0, checkpoint(8)], [0, prevote(3, null)]);
    askAbout(network, sheet, [
      proposal(0, one),
      prevote(0, one),
      prevote(0, null),
      precommit(0, one),
      precommit(0, null),
      checkpoint(8),
      prevote(2, null),
      decision(network, 1, one),
      decision(network, 3, other),
    ]);
  },
);

kept(
  'questions-later',
  'some heights on, it answers those who are behind and asks those who are ahead',
  (sheet) => {
    const network = make({ checkpointEvery: 2, window: 2 });
    for (let height = 1; height <= 6; height++)
      hear(network, [3, decision(network, height, batchOf(height))]);
    const { checkpoints } = network.state(2);
    const state = (height: number) => checkpoints.get(height) ?? strange('c');
    const whole = (height: number): Message => ({
      kind: 'stable-checkpoint',
      checkpoint: certificate(network, checkpoint(height, state(height))),
    });
    hear(network, [3, whole(4)], [0, checkpoint(6, state(6))], [1, checkpoint(8)]);
    hear(network, [0, proposal(1, other, { height: 7 })], [3, prevote(0, one, null, 8)]);
    const at = (height: number) => ({ height, round: 0 });
    askAbout(network, sheet, [
      status(),
      status({ height: 3, stable: 2 }),
      status({ ...at(6), stable: 4 }),
      status({ ...at(7), stable: 6 }),
      status({ ...at(9), stable: 8 }),
      decision(network, 7, batchOf(7)),
      decision(network, 8, batchOf(8)),
      fetch(5, idOf(batchOf(5))),
      fetch(7, idOf(other)),
      checkpoint(6, state(6)),
      checkpoint(8),
      checkpoint(10),
      whole(6),
      whole(8),
      whole(20),
      proposal(0, one, { height: 7 }),
      proposal(0, one, { height: 8 }),
      prevote(0, null, null, 8),
      prevote(8, null, null, 8),
      prevote(0, null, null, 9),
      precommit(0, one, 7),
      precommit(0, one, 8),
    ]);
  },
);

kept(
  'questions-waiting',
  'while it waits for a batch and for the state, it takes these',
  (sheet) => {
    const network = make({ checkpointEvery: 2, window: 2 });
    for (const from of [0, 1, 3]) hear(network, [from, precommit(0, one)]);
    hear(network, [3, stable(network, 8)]);
    askAbout(network, sheet, [
      { kind: 'batch', height: 1, batch: one },
      { kind: 'batch', height: 1, batch: other },
      stable(network, 8),
      stable(network, 10),
      proposal(0, one),
      decision(network, 1, one),
      status({ height: 9, stable: 8 }),
    ]);
  },
);
