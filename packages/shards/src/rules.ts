/** The choices that are easy to get wrong, and wrong variants of them under their names. */
import { type ClockRules, clockFlaws, clockMutants, clockRules } from '@quorumlab/clocks';
import type { Age } from './operations.ts';

/** What a shard and its keeper go by. */
export interface ShardRules extends ClockRules {
  /** Whether the one who asks takes the locks of who has them, or waits for it. */
  wounds(asker: Age, holder: Age): boolean;
  /** Whether a transaction whose locks were taken is over, and does not begin anew unnoticed. */
  readonly minds: boolean;
  /** Whether what is prepared stays so until its coordinator has decided. */
  readonly keepsPrepared: boolean;
  /** Whether a coordinator remembers a commit until its client has heard of it. */
  readonly remembersCommits: boolean;
  /** Whether a clock stamps only commits that were known when it was looked at. */
  readonly stampsSeen: boolean;
  /** Whether locks stay, and what was written is not seen, until commit wait is over. */
  readonly hidesWaiting: boolean;
  /** Whether a read waits for what is prepared below its timestamp. */
  readonly readsMindPrepared: boolean;
  /** Whether a range takes nothing more once its move has begun. */
  readonly fences: boolean;
}

const order = (one: Age, other: Age): number =>
  one.at - other.at || one.client - other.client || one.number - other.number;

/** Whether the first is older: the time at which it began counts, then its client. */
export const isOlder = (one: Age, other: Age): boolean => order(one, other) < 0;

/** The rules. */
export const shardRules: ShardRules = {
  ...clockRules,
  wounds: isOlder,
  minds: true,
  keepsPrepared: true,
  remembersCommits: true,
  stampsSeen: true,
  hidesWaiting: true,
  readsMindPrepared: true,
  fences: true,
};

/** Wrong variants, by name. */
export const shardMutants = {
  'commit-wait-latest': { ...shardRules, isOver: clockMutants['commit-wait-latest'].isOver },
  'no-commit-wait': { ...shardRules, isOver: clockMutants['no-commit-wait'].isOver },
  'stamp-earliest': { ...shardRules, stamp: clockMutants['stamp-earliest'].stamp },
  'wound-wait-reversed': { ...shardRules, wounds: (asker, holder) => isOlder(holder, asker) },
  'never-wound': { ...shardRules, wounds: () => false },
  'wounds-unminded': { ...shardRules, minds: false },
  'forget-prepared': { ...shardRules, keepsPrepared: false },
  'forget-committed': { ...shardRules, remembersCommits: false },
  'stamp-unseen': { ...shardRules, stampsSeen: false },
  'seen-before-over': { ...shardRules, hidesWaiting: false },
  'tsafe-ignores-prepared': { ...shardRules, readsMindPrepared: false },
  'move-without-fence': { ...shardRules, fences: false },
} satisfies Readonly<Record<string, ShardRules>>;

/** The name of a wrong variant. */
export type ShardMutant = keyof typeof shardMutants;

/** What is wrong in each of {@link shardMutants}, in a sentence. */
export const shardFlaws: Readonly<Record<ShardMutant, string>> = {
  'commit-wait-latest': clockFlaws['commit-wait-latest'],
  'no-commit-wait': clockFlaws['no-commit-wait'],
  'stamp-earliest': clockFlaws['stamp-earliest'],
  'wound-wait-reversed':
    'the younger takes the locks of the older, which may never come to its end',
  'never-wound': 'all wait for whoever has a lock, also in a circle',
  'wounds-unminded': 'a transaction whose locks were taken goes on as if it had them',
  'forget-prepared': 'a participant that has prepared aborts by itself when it has waited long',
  'forget-committed':
    'a coordinator forgets a commit soon, and tells a client that is late to hear that it aborted',
  'stamp-unseen': 'a clock that was looked at before a commit was asked for stamps it',
  'seen-before-over': 'a commit is seen, and its locks are free, while its timestamp may lie ahead',
  'tsafe-ignores-prepared': 'a read at a timestamp does not wait for what may commit below it',
  'move-without-fence': 'a range goes on taking writes while it is copied elsewhere',
};
