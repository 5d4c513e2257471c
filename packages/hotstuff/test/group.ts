/** Groups of four that several tests begin with, what is done to them, and what is seen of it. */
import type { Output } from '@quorumlab/core';
import { testDigest } from '@quorumlab/protocol-testing';
import { type HotStuff, type HotStuffOptions, hotstuff } from '../src/index.ts';
import type { Checkpoint, Link, Message } from '../src/messages.ts';
import { certificate, proposal } from './messages.ts';
import { Network } from './network.ts';

/** Leaders change every four views: 0 leads up to view 3, and 1 from view 4 on. */
export const make = (more: Partial<HotStuffOptions> = {}): Network =>
  new Network(hotstuff({ n: 4, digest: testDigest, reign: 4, checkpointEvery: 4, ...more }));

/** As {@link make}, with reigns of eight views. */
export const makeLong = (more: Partial<HotStuffOptions> = {}): Network =>
  make({ reign: 8, ...more });

/** Replica 0 proposes `links` to `self`. */
export function hear(network: Network, self: number, links: readonly Link[]): void {
  for (const link of links) network.inject(0, self, proposal(link));
}

/** `body` as `signers` certify it. */
export const stable = (network: Network, body: Checkpoint, signers = [0, 2]): Message => ({
  kind: 'stable-checkpoint',
  checkpoint: certificate(network, body, signers),
});

/** The kinds of what is said, in its order. */
export const kindsOf = ({ sends }: Output<HotStuff>): string[] =>
  sends.map(({ message }) => message.kind);

/** The votes among what is said, and to whom. */
export const votesIn = ({ sends }: Output<HotStuff>): unknown[] =>
  sends.flatMap(({ to, message }) => (message.kind === 'vote' ? [[to, message]] : []));
