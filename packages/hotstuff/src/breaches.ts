/**
 * What no honest replica signs besides: lies that need two statements of different views to be
 * seen. They hold in whichever order the two were signed.
 */
import {
  type Breach,
  breachOf,
  type ContentOf,
  type Digest,
  decode,
  encode,
  type Infer,
  SchemaError,
} from '@quorumlab/core';
import type { Group } from './group.ts';
import {
  type Link,
  type Message,
  Phase,
  type Schemas,
  type Timeout,
  type Vote,
} from './messages.ts';

/** The rules that a group of this family can be held to. */
export function breachesOf(group: Group): readonly Breach<Message>[] {
  const rule = breachOf<Message>();
  // Views and locks are of one epoch: the next one begins anew.
  const epoch = ({ set }: Vote | Timeout): string => `${set}`;
  const all = [
    rule('vote', 'timeout', deniedAfterVote, epoch),
    rule('timeout', 'timeout', deniedLater, epoch),
  ];
  // An implicit lock is none that a vote tells of: a timeout certificate may lead below it.
  if (group.rules.votesLock === 'nothing') return all;
  return [
    ...all,
    rule('vote', 'vote', (one, other, content) => belowLock(group, one, other, content), epoch),
  ];
}

/** Who has voted for a block has its parent's certificate, and says no less when it leaves. */
function deniedAfterVote(vote: Vote, timeout: Timeout): string | undefined {
  const known = knownBy(vote);
  if (timeout.view < vote.view || timeout.highView >= known) return undefined;
  return (
    `voted in view ${vote.view} on a certificate of view ${known}, and when it left ` +
    `view ${timeout.view} said that it knew none above view ${timeout.highView}`
  );
}

/** The view of the certificate that a vote is on: in a later phase it is one of its own view. */
const knownBy = ({ phase = Phase.prepare, view, justifyView }: Vote): number =>
  phase === Phase.prepare ? justifyView : view;

/** The highest certificate that one knows only rises. */
function deniedLater(one: Timeout, other: Timeout): string | undefined {
  if (other.view <= one.view || other.highView >= one.highView) return undefined;
  return (
    `said in view ${one.view} that it knew a certificate of view ${one.highView}, and in view ` +
    `${other.view} none above view ${other.highView}`
  );
}

/** A vote for a block whose parent was certified before what the voter was locked on. */
function belowLock(group: Group, one: Vote, other: Vote, content: ContentOf): string | undefined {
  if (other.view <= one.view || other.justifyView >= Math.max(one.justifyView, knownBy(one)))
    return undefined;
  const lock = lockOf(group, one, content);
  if (other.justifyView >= lock) return undefined;
  return (
    `voted in view ${one.view} and so was locked on view ${lock}, and in view ${other.view} ` +
    `voted for a block whose parent was certified in view ${other.justifyView}`
  );
}

/** The view that whoever cast this vote is locked on at least; 0: none, or nobody can tell. */
function lockOf(group: Group, vote: Vote, content: ContentOf): number {
  const { view, phase, block, justifyView } = vote;
  switch (group.rules.votesLock) {
    case 'nothing':
      return 0;
    case 'parent':
      return justifyView;
    case 'phase':
      return phase === Phase.commit ? view : 0;
    case 'grandparent': {
      // The names of blocks are digests, so nobody can make another chain below this one.
      const parent = blockOf(group, content(block))?.parent;
      const grandparent = parent && blockOf(group, content(parent))?.parent;
      return (grandparent && blockOf(group, content(grandparent))?.view) || 0;
    }
  }
}

/** The block of an encoding, without its clients' signatures. */
function blockOf(
  { schemas }: Group,
  bytes: Uint8Array | undefined,
): Infer<Schemas['content']> | undefined {
  try {
    return bytes && decode(schemas.content, bytes);
  } catch (error) {
    if (error instanceof SchemaError) return undefined;
    throw error;
  }
}

/** What a vote's lock can be told by: the blocks below it, if locks are on grandparents. */
export function* contents(group: Group, message: Message): Iterable<readonly [Digest, Uint8Array]> {
  if (group.rules.votesLock !== 'grandparent') return;
  const links = message.kind === 'proposal' ? [message] : blocksIn(message);
  for (const { block } of links)
    yield [group.digest(group.schemas.content, block), encode(group.schemas.content, block)];
}

const blocksIn = (message: Message): readonly Link[] =>
  message.kind === 'blocks' ? message.blocks : [];
