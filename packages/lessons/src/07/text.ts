import type { LessonText } from '../lesson.ts';

/** The words of lesson 7. */
export const text: LessonText = {
  title: 'Commit wait: until no clock disputes it',
  idea:
    'A commit that is told of only when its timestamp is over by every clock has a lower ' +
    'timestamp than all that begins afterwards.',
  text: [
    'A store that is too large for one group is cut into shards: each group has a range of the ' +
      'keys. Transactions get timestamps, so that a read at a timestamp sees the same moment in ' +
      'all groups, without locks. But the groups share no clock.',
    'A clock says how wrong it may be. Asked for the time it answers an interval, [earliest, ' +
      'latest], and true time lies in it. A transaction gets the latest of its group’s clock as ' +
      'its timestamp. Then commit wait begins: its client is told only when the earliest of that ' +
      'clock has passed the timestamp.',
    'In this run one client writes in group A, whose clock is fast. As soon as it is told, ' +
      'another client writes in group B, whose clock is slow. The run is paused before the ' +
      'second one begins.',
  ],
  question: {
    ask:
      'The second transaction begins after the first was told of, and the clock of its group is ' +
      'behind. Can it get the smaller timestamp?',
    choices: {
      smaller: 'yes: its clock shows an earlier time than the first one got',
      over: 'no: when the first was told of, its timestamp was over by every clock',
      asked: 'no: group B asks group A which timestamps it has given',
    },
  },
  explanation: [
    'When {main.first} asked to commit, its group’s clock answered {main.firstClock}, and so ' +
      'its timestamp is {main.firstAt}. It waited until the clock answered {main.firstOver}. ' +
      '{main.second} began at {main.secondBegun}, after that. Its slow clock answered ' +
      '{main.secondClock}, and its timestamp is {main.secondAt}: the larger one. All of these ' +
      'are microseconds.',
    'Who pays? Every commit, with about twice the bound: clocks within {main.bound} made a ' +
      'transaction take {main.latency}, and clocks within {wide.bound} made it take ' +
      '{wide.latency}.',
    'The bound is believed. With clocks that were further off than they said, the run ended ' +
      '{beyond.word}: {beyond.sentence}.',
  ],
  breaking: [
    'The mutant {broken.mutant} waits until the latest of the clock has passed the timestamp, as ' +
      'many lessons say. That is at once, since the timestamp was the latest.',
    'With it {broken.first} was told of at {broken.firstTold}, with the timestamp ' +
      '{broken.firstAt}, and {broken.second} got {broken.secondAt}. Of {many.transactions} ' +
      'transactions in a longer run {many.late} had no higher timestamp than one that had ended ' +
      'before.',
  ],
  exercise: {
    ask:
      'Your users find that commits take too long. What may you change, so that timestamps still ' +
      'follow true time?',
    choices: {
      latest: 'wait only until the latest of the clock has passed the timestamp',
      earliest: 'use the earliest of the clock as the timestamp: that is over sooner',
      declare: 'declare a bound of a quarter, and leave the clocks as they are',
      clocks: 'buy clocks that are within a quarter of the bound, and declare that',
    },
  },
};
