import type { LessonText } from '../lesson.ts';

/** The words of lesson 13. */
export const text: LessonText = {
  title: 'HotStuff: certificates in a chain',
  idea:
    'Votes go to the leader alone, which makes one certificate of them; each certificate ' +
    'confirms those before it.',
  text: [
    'In PBFT everybody tells everybody, so messages grow with the square of n. In HotStuff ' +
      'everybody tells the leader, and the leader tells everybody. A vote for a block is also a ' +
      'vote for the blocks below it, so one kind of message serves for all phases.',
    'This is the chained form: a block is committed when three certificates stand on each other.',
  ],
  question: {
    ask: 'The same clients ask sixteen replicas. Who sends fewer messages for each operation?',
    choices: {
      pbft: 'PBFT: it has fewer steps',
      hotstuff: 'HotStuff: its messages grow with n and not with its square',
      same: 'both the same',
    },
  },
  explanation: [
    'With {hotstuff.n} replicas HotStuff sent {hotstuff.perCommit} messages for each ' +
      'operation, and PBFT {pbft.perCommit}. With {main.n} it was {main.perCommit} against ' +
      '{small.perCommit}.',
    'The price is time: more steps follow one another until a block is committed.',
  ],
  breaking: [
    'With two phases a new leader may lack a certificate on which others are locked. The ' +
      'mutant {broken.mutant} does not wait for it. Its schedule: {broken.schedule}',
    'Nothing forks, but nothing goes on either: {broken.sentence}. With the third phase, or ' +
      'with the wait of HotStuff-Two, it does.',
  ],
  exercise: {
    ask: 'Two certificates commit a block. Which rule for the lock is safe, and goes on?',
    choices: {
      older: 'lock on the block below, as with three certificates, and wait for nobody',
      hasty: 'lock on the newest certified block; a new leader proposes at once',
      waiting:
        'lock on the newest certified block; a new leader waits for certificates that it may lack',
    },
  },
};
