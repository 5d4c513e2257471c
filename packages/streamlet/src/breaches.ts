/**
 * What no honest replica signs besides: a lie that needs two statements of different epochs to be
 * seen. It holds in whichever order the two were signed.
 */
import { type Breach, breachOf } from '@quorumlab/core';
import type { Message, Vote } from './messages.ts';

/**
 * Who has voted for a block at some height has seen a notarized chain that ends one below it, never
 * forgets that there is one, and so votes for nothing lower in a later epoch.
 */
export const breaches: readonly Breach<Message>[] = [breachOf<Message>()('vote', 'vote', lower)];

function lower(one: Vote, other: Vote): string | undefined {
  if (other.epoch <= one.epoch || other.height >= one.height) return undefined;
  return (
    `voted for height ${one.height} in epoch ${one.epoch}, on a chain of ${one.height - 1} ` +
    `notarized blocks, and in epoch ${other.epoch} for height ${other.height}, on a shorter one`
  );
}
