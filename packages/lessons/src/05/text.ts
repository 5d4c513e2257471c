import type { LessonText } from '../lesson.ts';

/** The words of lesson 5. */
export const text: LessonText = {
  title: 'Zab: order and epochs',
  idea:
    'What one primary sends is delivered in the order in which it was sent, without gaps, also ' +
    'after it has crashed.',
  text: [
    'Zab carries changes of state: the second change makes sense only after the first. So a ' +
      'primary numbers its transactions one after the other, and a follower takes them in that ' +
      'order.',
    'Each primary has an epoch of its own. Before it sends anything new, it finds the newest ' +
      'history and brings a majority to it. In this run the primary crashes.',
  ],
  question: {
    ask:
      'The primary sent transactions one, two and three, and crashed. May a later primary ever ' +
      'deliver three without two?',
    choices: {
      no: 'no, never',
      lost: 'yes, if two reached nobody',
      majority: 'yes, if a majority holds three',
    },
  },
  explanation: [
    'Primaries were {main.leaders}. All {main.answered} operations were answered, and each ' +
      'replica delivered them in one order.',
    'A follower holds three only behind two. So a history with three in it has two as well, ' +
      'and a new primary takes over a history as a whole. Independent slots, as in Multi-Paxos, ' +
      'promise less: there a later slot may be known before an earlier one.',
  ],
  breaking: [
    'The mutant {broken.mutant} takes transactions as they come, over channels that keep no ' +
      'order. Its schedule: {broken.schedule}',
    'Now two replicas have two orders: {broken.sentence}.',
  ],
  exercise: {
    ask: 'The primary is gone. Whose history must the next epoch begin with?',
    choices: {
      longest: 'the longest one',
      last: 'the one whose last transaction has the highest number',
      epoch: 'the one of the newest epoch, and among these the one that goes furthest',
    },
  },
};
