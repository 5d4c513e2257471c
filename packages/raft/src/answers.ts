/**
 * What is asked again and again is answered only so often: an answer costs more than its question.
 */
import { type Instant, isDue, type ReplicaId } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Replica } from './state.ts';

/** Whether the leader of an old term is told so: it sends something with each heartbeat. */
export const mayRefuse = (
  group: Group,
  { refusedAt }: Replica,
  from: ReplicaId,
  now: Instant,
): boolean => isDue(refusedAt.get(from), group.heartbeat / 2, now);

/** Whether who lost its disk is answered: it asks once in an election timeout. */
export const mayHelp = (
  group: Group,
  { helpedAt }: Replica,
  from: ReplicaId,
  now: Instant,
): boolean => isDue(helpedAt.get(from), group.electionTimeout / 2, now);
