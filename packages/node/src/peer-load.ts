/** What waits of a peer: what it says for itself, and what it passes on of clients. */
import type { PrincipalId } from '@quorumlab/core';
import type { HostLimits } from './host-limits.ts';
import type { Inbox, InboxLoad } from './inbox.ts';
import { payerOf } from './payer.ts';

/** Whether more is to be read of `peer`: neither of the two has all that it may have waiting. */
export function hasRoomForPeer(
  inbox: Inbox<unknown>,
  peer: PrincipalId,
  { waitingPerPeer, waitingBytesPerPeer, passedOnPerPeer, passedOnBytesPerPeer }: HostLimits,
): boolean {
  const own = { items: waitingPerPeer, bytes: waitingBytesPerPeer };
  if (!inbox.hasRoomFor(peer, own)) return false;
  const passedOn = { items: passedOnPerPeer, bytes: passedOnBytesPerPeer };
  return inbox.hasRoomFor(payerOf(peer, true), passedOn);
}

/** Frames of `peer` that wait to be checked and stepped, and their bytes. */
export function loadOfPeer(inbox: Inbox<unknown>, peer: PrincipalId): InboxLoad {
  const own = inbox.loadOf(peer);
  const payer = payerOf(peer, true);
  if (payer === peer) return own;
  const other = inbox.loadOf(payer);
  return { items: own.items + other.items, bytes: own.bytes + other.bytes };
}
