/**
 * What is asked again and again is answered only so often: an answer costs more than its question.
 */
import { type Instant, isDue, type ReplicaId } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Replica } from './state.ts';

/** Whether one that looks for a leader is told what is known here. */
export const mayTell = (
  group: Group,
  { toldAt }: Replica,
  from: ReplicaId,
  now: Instant,
): boolean => isDue(toldAt.get(from), group.heartbeat / 2, now);

/** Whether who lost its disk is answered: it asks once in an election timeout. */
export const mayHelp = (
  group: Group,
  { helpedAt }: Replica,
  from: ReplicaId,
  now: Instant,
): boolean => isDue(helpedAt.get(from), group.electionTimeout / 2, now);
