/**
 * What is asked again and again is answered only so often: an answer costs more than its question.
 */
import { type Instant, isDue, type ReplicaId, type Slot } from '@quorumlab/core';
import type { Group } from './group.ts';
import type { Replica } from './state.ts';

/** What is answered to one member: that its ballot is old, or what is known here. */
export type Question = 'old-ballot' | 'prepare' | 'catch-up' | 'recall';

const keyOf = (question: Question, from: ReplicaId): string => `${question}/${from}`;

/** The least time between two answers: a leader asks with each heartbeat, others seldom. */
const pauseOf = ({ heartbeat, electionTimeout }: Group, question: Question): number =>
  (question === 'old-ballot' || question === 'prepare' ? heartbeat : electionTimeout) / 2;

/** Whether the last answer to this question of `from` is long enough ago. */
export const mayAnswer = (
  group: Group,
  { answeredAt }: Replica,
  question: Question,
  from: ReplicaId,
  now: Instant,
): boolean => isDue(answeredAt.get(keyOf(question, from)), pauseOf(group, question), now);

/** Notes that `from` is being answered. */
export function noteAnswer(
  { answeredAt }: Replica,
  question: Question,
  from: ReplicaId,
  now: Instant,
): void {
  answeredAt.set(keyOf(question, from), now);
}

/** Whether `from` is told what was chosen: what it was told last it knows, or it waits for it. */
export const mayTeach = (
  group: Group,
  replica: Replica,
  from: ReplicaId,
  fromSlot: Slot,
  now: Instant,
): boolean =>
  fromSlot < replica.firstUnchosen &&
  (fromSlot >= (replica.taughtTo.get(from) ?? 0) ||
    mayAnswer(group, replica, 'catch-up', from, now));
