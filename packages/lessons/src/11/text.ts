import type { LessonText } from '../lesson.ts';

/** The words of lesson 11. */
export const text: LessonText = {
  title: 'PBFT: why a second round of votes',
  idea:
    'The first round of votes makes sure that no other value can be ordered in this view. The ' +
    'second makes sure that the next view knows.',
  text: [
    'The primary proposes an order. Replicas say in a first round what they heard (prepare), ' +
      'and in a second round that a quorum has said the same (commit). If the primary is too ' +
      'slow, the replicas change to the next view, with another primary.',
    'The primary of this run tells two stories, as the leader of lesson 9 did.',
  ],
  question: {
    ask: 'The primary signs one value for one replica, and another for the others. What happens?',
    choices: {
      fork: 'honest replicas commit different values',
      stall: 'nothing is ever committed again',
      view: 'at most one value can get a quorum, and clients are answered',
    },
  },
  explanation: [
    'It ended {main.word}: {main.sentence}. {main.liars} lied, and {main.value} was committed ' +
      'with the votes of {main.behind}.',
    'A quorum is {main.quorum} of {main.n}. Two quorums share {main.shared} members at least, ' +
      'and only one of them lies, so an honest one would have had to vote for both values.',
  ],
  breaking: [
    'The mutant {broken.mutant} executes after the first round. Its schedule: {broken.schedule}',
    'One replica knew that {broken.value} was ordered, and nobody else did. The next view ' +
      'ordered something else. The second round is there so that a quorum knows before anybody ' +
      'acts.',
  ],
  exercise: {
    ask: 'How many replicas does PBFT need, at least, so that two traitors do no harm?',
    choices: { 5: 'five', 6: 'six', 7: 'seven', 8: 'eight' },
  },
};
