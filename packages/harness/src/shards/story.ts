/** A run of shards as lines: who began what, which clock stamped it, and who was told when. */
import type { Interval } from '@quorumlab/core';
import { shardMutants, shardRules } from '@quorumlab/shards';
import type { StoryLine } from '../story.ts';
import { type Noted, taskOf } from './clients.ts';
import type { ShardScenario } from './scenario.ts';
import type { KeeperReading, World } from './world.ts';

/** What happened in order of time. Timestamps are microseconds, as clocks count them. */
export function shardStory({ mutant }: ShardScenario, made: World): readonly StoryLine[] {
  const rules = mutant === undefined ? shardRules : shardMutants[mutant];
  const lines = made.history.flatMap((noted) =>
    noted.isRead ? readLines(made, noted) : transactionLines(made, noted, rules.isOver),
  );
  return lines.sort((one, other) => one.at - other.at);
}

/** `[12, 52]`: what a clock answers, in microseconds. */
const shown = ({ earliest, latest }: Interval): string => `[${earliest}, ${latest}]`;

function transactionLines(
  made: World,
  { task, at, transaction }: Noted,
  isOver: (timestamp: number, now: Interval) => boolean,
): readonly StoryLine[] {
  const seat = made.client(transaction.process);
  const { invokedAt, returnedAt = invokedAt } = transaction;
  const name = `T${task}`;
  const keys = transaction.operations.flatMap((each) => (each.kind === 'append' ? [each.key] : []));
  const text = `${name} begins: writes ${keys.join(', ')}`;
  const begins: StoryLine = { at: invokedAt, seat, kind: 'says', text };
  if (at === undefined)
    return [begins, { at: returnedAt, seat, kind: 'befalls', text: `${name} has aborted` }];
  const stamped = stampOf(made.readings, task);
  const over = made.readings.find(
    ({ group, seat: other, at: when, clock }) =>
      group === stamped?.group && other === stamped.seat && when >= stamped.at && isOver(at, clock),
  );
  return [
    begins,
    ...(stamped === undefined ? [] : [keeperLine(stamped, `${name} gets ${at}`)]),
    ...(over === undefined ? [] : [keeperLine(over, `${name} is told of`)]),
    { at: returnedAt, seat, kind: 'commits', text: `${name} COMMITTED at ${at}` },
  ];
}

/** The last reading that gave the attempts of a transaction a timestamp. */
const stampOf = (readings: readonly KeeperReading[], task: number): KeeperReading | undefined =>
  readings.findLast(({ stamps }) => stamps.some(({ number }) => taskOf(number) === task));

const keeperLine = ({ at, seat, clock }: KeeperReading, what: string): StoryLine => ({
  at,
  seat,
  kind: 'accepts',
  text: `clock ${shown(clock)}: ${what}`,
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
