import type { LessonText } from '../lesson.ts';

/** The words of lesson 6. */
export const text: LessonText = {
  title: 'Reads: ask who leads, or trust clocks',
  idea:
    'A leader may answer a read only if it is sure that no other leader has committed something ' +
    'since. It asks a majority, or it waits by its clock.',
  text: [
    'A read must see every write that was finished before it was asked for. The state of the ' +
      'leader has them all, as long as it is the leader. A server that leads cannot see by ' +
      'itself that it was replaced, so it asks a majority at each read whether it still leads.',
    'A leader with a lease does not ask. The voters have promised to elect nobody else for a ' +
      'time, and the leader reads alone for a little less than that. The little less is for ' +
      'clocks that run too fast or too slow.',
    'In this run the leader has a lease, and is cut off from the others.',
  ],
  question: {
    ask:
      'The others want a new leader, and the lease of the old one has not run out. What do they ' +
      'do?',
    choices: {
      elect: 'elect at once: they are a majority',
      wait: 'wait until the lease is over by their own clocks',
      ask: 'ask the old leader first',
    },
  },
  explanation: [
    'Leaders were {main.leaders}, one after the other, and the run ended {main.word}: ' +
      '{main.sentence}. At every moment at most one of them could answer reads alone.',
    'That saves messages: {lease.answered} reads took {lease.messages} in all with a lease, ' +
      'and {asking.messages} with a question for each. The price is paid when a leader fails, ' +
      'because nobody leads while its lease lasts.',
    'One of the two is needed. The mutant {unasked.mutant} neither asks nor has a lease, and its ' +
      'schedule ends {unasked.word}: {unasked.sentence}.',
  ],
  breaking: [
    'The mutant {broken.mutant} has a voter forget its promise when it is restarted. Its ' +
      'schedule: {broken.schedule}',
    'So {broken.sentence}.',
  ],
  exercise: {
    ask:
      'The clocks of the three servers show times that differ by up to a second, but run at the ' +
      'same rate. Are reads by a lease still right?',
    choices: {
      yes: 'yes: a lease measures how long, and not what time it is',
      no: 'no: the servers must agree what time it is',
    },
  },
};
