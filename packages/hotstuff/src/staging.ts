/** What the schedules of `exhibits.ts` are put together from: liars, and who hears whom. */
import type { ReplicaId, Request, Seal, Signed, Stage, Which } from '@quorumlab/core';
import { genesisHash } from './blocks.ts';
import {
  type Block,
  type Message,
  type QuorumCertificate,
  schemas,
  type Timeout,
  type Vote,
} from './messages.ts';
import type { HotStuff } from './state.ts';

/** The stage of a group of this family. */
export type Staged = Stage<HotStuff>;

const { content } = schemas({ n: 4, maxBatch: 256 });
/** D(b). */
export const hashOf = (group: Staged, block: Block) => group.digest(content, block);

/** What `seats` say to each other. */
export const among =
  (...seats: readonly ReplicaId[]): Which<HotStuff> =>
  ({ from, to }) =>
    seats.includes(from) && seats.includes(to);

/** Messages of these kinds. */
export const isA =
  (...kinds: readonly Message['kind'][]): Which<HotStuff> =>
  ({ message }) =>
    kinds.includes(message.kind);

/** Takes what was sent to the liar `self` and is of `kind` off the network. */
export function taken<K extends Message['kind']>(group: Staged, self: ReplicaId, kind: K) {
  const found = group.hold(({ to, message }) => to === self && message.kind === kind);
  return found.map(({ message }) => message as Signed<Extract<Message, { kind: K }>>);
}

/** The signatures of a certificate, in the order of their signers. */
export const sealsOf = (signed: readonly Seal[]): Seal[] =>
  [...signed]
    .sort((one, other) => one.from - other.from)
    .map(({ from, signature }) => ({ from, signature }));

/** The certificate of `vote` by what honest replicas sent to `self`, and by its own vote. */
export function certified(
  group: Staged,
  self: ReplicaId,
  vote: Vote,
  former: readonly ReplicaId[] = [],
): QuorumCertificate | undefined {
  const quorum = 3;
  const votes = taken(group, self, 'vote').filter(
    ({ view, block }) => view === vote.view && block === vote.block,
  );
  const all = sealsOf([...votes, ...[self, ...former].map((from) => group.sign(vote, from))]);
  return all.length >= quorum ? { body: vote, seals: all } : undefined;
}

/** What a liar builds. */
interface Chain {
  readonly view: number;
  readonly height: number;
  readonly justify: QuorumCertificate | null;
  readonly timeouts: readonly Signed<Timeout>[] | null;
  readonly blocks: number;
  /** The set of validators of its epoch; the first one unless told. */
  readonly set?: number;
  /** Whose votes stand in its certificates too, although they vote no more. */
  readonly former?: readonly ReplicaId[];
  /** Who hears of the last block, if it is not everybody who hears of the others. */
  readonly last?: readonly ReplicaId[];
  /** What is asked for in the first block; Bob unless told. */
  readonly text?: string;
}

/** The liar `self` builds a chain, one block a view, and sends it to `seats`. */
export function build(
  group: Staged,
  self: ReplicaId,
  seats: readonly ReplicaId[],
  chain: Chain,
): QuorumCertificate | null {
  let { view, height, justify } = chain;
  const { set = 1, former = [] } = chain;
  for (let i = 0; i < chain.blocks; i++, view++, height++) {
    const parent = justify?.body.block ?? genesisHash;
    const first: Signed<Request> = group.request(chain.text ?? 'Bob');
    const block: Block = { set, view, height, parent, batch: i === 0 ? [first] : [] };
    const timeouts = i === 0 ? chain.timeouts : null;
    const hearers = i === chain.blocks - 1 ? (chain.last ?? seats) : seats;
    group.say(self, hearers, { kind: 'proposal', block, justify, timeouts });
    group.deliver(({ to, message }) => hearers.includes(to) && message.kind === 'proposal');
    const justifyView = justify?.body.view ?? 0;
    const vote: Vote = { kind: 'vote', set, view, block: hashOf(group, block), justifyView };
    const next = certified(group, self, vote, former);
    if (next === undefined) return null;
    justify = next;
  }
  return justify;
}

/** `self` gives up the leader that it has. */
export function leaves(group: Staged, self: ReplicaId): void {
  const before = group.view(self).lastTimeout?.view ?? 0;
  for (let i = 0; i < 20 && (group.view(self).lastTimeout?.view ?? 0) === before; i++) {
    group.wait(1e9);
    group.timeout(self, 'pacemaker');
  }
}

/** The liar's timeout, which knows nothing, among those of others. */
export function withOwn(
  group: Staged,
  self: ReplicaId,
  heard: readonly Signed<Timeout>[],
  view: number,
) {
  const own = group.sign<Timeout>({ kind: 'timeout', set: 1, view, highView: 0 }, self);
  return [...heard, own].sort((one, other) => one.from - other.from);
}

/** `seats` give up the reign; the liar takes their timeouts, and adds its own. */
export function giveUp(
  group: Staged,
  seats: readonly ReplicaId[],
  self: ReplicaId,
): Signed<Timeout>[] {
  for (const each of seats) leaves(group, each);
  const timeouts = taken(group, self, 'timeout');
  group.lose();
  return withOwn(group, self, timeouts, timeouts[0]?.view ?? 0);
}

/** Nothing else gets through until `seats` and the liar have left every view before `view`. */
export function skipTo(group: Staged, view: number, seats: readonly ReplicaId[], self: ReplicaId) {
  for (;;) {
    for (const each of seats) leaves(group, each);
    const timeouts = taken(group, self, 'timeout');
    const left = timeouts[0]?.view ?? 0;
    if (left >= view - 1) {
      group.lose();
      return withOwn(group, self, timeouts, left);
    }
    group.say(self, seats, { kind: 'timeout', set: 1, view: left, highView: 0 });
    const fits = isA('timeout', 'new-view');
    group.settle(
      (flight) =>
        fits(flight) &&
        seats.includes(flight.to) &&
        (seats.includes(flight.from) || flight.from === self),
    );
  }
}
