/** A run of shards as it is told: who began what, which clock stamped it, and who was told when. */
import type { Instant, Interval } from '@quorumlab/core';
import { shardMutants, shardRules } from '@quorumlab/shards';
import type { StoryLine } from '../story.ts';
import { type Noted, taskOf } from './clients.ts';
import type { ShardScenario } from './scenario.ts';
import type { World } from './world.ts';
import type { KeeperReading } from './world-options.ts';

/** A transaction that has ended, with the readings of clocks that made it so. Microseconds. */
export interface ShardCommit {
  readonly name: string;
  /** The seat of its client. */
  readonly seat: number;
  readonly writes: readonly string[];
  /** True time. */
  readonly begun: Instant;
  readonly told: Instant;
  /** Its timestamp; nothing if it has aborted. */
  readonly at?: number;
  /** The reading that gave it its timestamp. */
  readonly stamped?: KeeperReading;
  /** The first one by which that was over, as the rules of the run see it. */
  readonly over?: KeeperReading;
}

/** All transactions that have ended, the first to be told of first. */
export function commitsIn({ mutant }: ShardScenario, made: World): readonly ShardCommit[] {
  const { isOver } = mutant === undefined ? shardRules : shardMutants[mutant];
  const { history, readings } = made;
  return history
    .filter(({ isRead }) => !isRead)
    .map(
      ({ task, at, transaction: { process, invokedAt, returnedAt = invokedAt, operations } }) => {
        const stamped = readings.findLast(({ stamps }) =>
          stamps.some(({ number }) => taskOf(number) === task),
        );
        const over = readings.find(
          ({ group, seat, at: when, clock }) =>
            at !== undefined &&
            stamped !== undefined &&
            group === stamped.group &&
            seat === stamped.seat &&
            when >= stamped.at &&
            isOver(at, clock),
        );
        return {
          ...{ name: `T${task}`, seat: made.client(process), begun: invokedAt, told: returnedAt },
          writes: operations.flatMap((each) => (each.kind === 'append' ? [each.key] : [])),
          ...(at === undefined ? {} : { at }),
          ...(stamped === undefined ? {} : { stamped }),
          ...(over === undefined ? {} : { over }),
        };
      },
    );
}

/** What happened in order of time. */
export const shardStory = (made: World, commits: readonly ShardCommit[]): readonly StoryLine[] =>
  [
    ...commits.flatMap(commitLines),
    ...made.history.flatMap((noted) => (noted.isRead ? readLines(made, noted) : [])),
  ].sort((one, other) => one.at - other.at);

/** `[12, 52]`: what a clock answers. */
export const intervalText = ({ earliest, latest }: Interval): string => `[${earliest}, ${latest}]`;

function commitLines(commit: ShardCommit): readonly StoryLine[] {
  const { name, seat, writes, begun, told, at, stamped, over } = commit;
  const text = `${name} begins: writes ${writes.join(', ')}`;
  const begins: StoryLine = { at: begun, seat, kind: 'says', text };
  if (at === undefined)
    return [begins, { at: told, seat, kind: 'befalls', text: `${name} has aborted` }];
  return [
    begins,
    ...(stamped === undefined ? [] : [keeperLine(stamped, `${name} gets ${at}`)]),
    ...(over === undefined ? [] : [keeperLine(over, `${name} is told of`)]),
    { at: told, seat, kind: 'commits', text: `${name} COMMITTED at ${at}` },
  ];
}

const keeperLine = ({ at, seat, clock }: KeeperReading, what: string): StoryLine => ({
  at,
  seat,
  kind: 'accepts',
  text: `clock ${intervalText(clock)}: ${what}`,
});

function readLines(made: World, { task, at, transaction }: Noted): readonly StoryLine[] {
  const seat = made.client(transaction.process);
  const { invokedAt, returnedAt = invokedAt, operations } = transaction;
  const values = operations.flatMap((each) =>
    each.kind === 'read' ? [`${each.key} = ${each.values?.join(' ') || 'nothing'}`] : [],
  );
  return [
    { at: invokedAt, seat, kind: 'says', text: `R${task} begins` },
    { at: returnedAt, seat, kind: 'befalls', text: `R${task} at ${at}: ${values.join(', ')}` },
  ];
}
