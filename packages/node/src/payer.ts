/**
 * Who pays for a frame. A member speaks for itself, and passes on what clients ask: these are two,
 * so that the requests it brings never delay its votes, and are served as those of a client are.
 */
import type { PrincipalId } from '@quorumlab/core';
import { isClient } from './principal.ts';

/** A principal, or below zero: what a member passes on, its own requests among it. */
export type Payer = number;

/** Whether it stands for what a member passes on. */
export const isPassedOn = (payer: Payer): boolean => payer < 0;

/** Who pays for what comes of `peer`; `isRequest`: it is asked for by clients. */
export const payerOf = (peer: PrincipalId, isRequest: boolean): Payer =>
  isRequest && !isClient(peer) ? -1 - peer : peer;

/** From whom comes what `payer` pays for. */
export const peerOf = (payer: Payer): PrincipalId => (isPassedOn(payer) ? -1 - payer : payer);
