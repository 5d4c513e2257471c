import type { LessonText } from '../lesson.ts';

/** The words of lesson 14. */
export const text: LessonText = {
  title: 'Over the threshold: proof, and choosing',
  idea:
    'Beyond f liars nothing is promised, but who has signed twice can be proven guilty; so ' +
    'choose by who may lie.',
  text: [
    'Every protocol has a threshold. Here two of four replicas of PBFT lie together: one more ' +
      'than it tolerates. They show each half of the others another history.',
    'All of their messages are signed.',
  ],
  question: {
    ask:
      'The group will fork. How many of the liars can be proven guilty by what honest replicas ' +
      'hold?',
    choices: {
      none: 'none: each says that the other did it',
      one: 'one of the two',
      both: 'both of them',
    },
  },
  explanation: [
    'It ended {main.word}: {main.sentence}. Behind {main.value} stand {main.behind}, and ' +
      'behind {main.other} stand {main.behindOther}. In both are {main.both}.',
    'Who is in both quorums has signed for both values. Proofs name {main.culprits}, and ' +
      'nobody who was honest. Tendermint ended {tendermint.word}, and proofs name ' +
      '{tendermint.culprits}; HotStuff ended {hotstuff.word}, and they name {hotstuff.culprits}.',
    'So first say what may go wrong. Crashes of machines that one team runs: take the cheap ' +
      'protocols. Companies that do not trust each other: take one that tolerates liars, with ' +
      'enough replicas for as many of them as may work together.',
  ],
  breaking: [
    'Here the attack is what breaks it. Without it the same group ends {mended.word}: ' +
      '{mended.sentence}.',
  ],
  exercise: {
    ask:
      'Seven companies run one replica each. Up to two of them may lie together, about ' +
      'anything. Which group do you choose?',
    choices: {
      raft: 'Raft with seven servers: it goes on without three of them',
      pbft: 'PBFT with seven replicas',
      small: 'PBFT with four replicas, to save messages',
    },
  },
};
