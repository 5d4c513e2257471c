/**
 * What no honest replica signs besides: lies that need two statements of different rounds to be
 * seen. They hold in whichever order the two were signed.
 */
import { type Breach, breachOf, type Digest } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Message, Precommit, Prevote } from './messages.ts';

/**
 * Lines 22 to 33: who has precommitted is locked, and prevotes for something else only if a quorum
 * has prevoted for that since. In the accountable variant a prevote says in which round that was.
 */
export const breachesOf = ({ accountable }: Group): readonly Breach<Message>[] =>
  accountable
    ? [breachOf<Message>()('precommit', 'prevote', unlocked, ({ height }) => `${height}`)]
    : [];

function unlocked(one: Precommit, other: Prevote): string | undefined {
  if (one.height !== other.height || one.round >= other.round) return undefined;
  if (one.value === null || other.value === null || one.value === other.value) return undefined;
  if (other.validRound !== null && other.validRound >= one.round) return undefined;
  const since =
    other.validRound === null
      ? 'as if it were new'
      : `for prevotes of round ${other.validRound}, which is earlier`;
  return (
    `precommitted ${short(one.value)} in round ${one.round} of height ${one.height}, and in ` +
    `round ${other.round} prevoted ${short(other.value)} ${since}`
  );
}

/** Why the published protocol cannot convict; decision 142 says more. */
export const hides =
  'prevotes of the published protocol do not say which earlier prevotes they rest on, so a ' +
  'member that forgot its lock cannot be told from one that was shown a later quorum; ' +
  'run it with accountable=true';

const short = (digest: Digest): string => `${digest.slice(0, 8)}…`;
