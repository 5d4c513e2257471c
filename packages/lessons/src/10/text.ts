import type { LessonText } from '../lesson.ts';

/** The words of lesson 10. */
export const text: LessonText = {
  title: 'Signatures are not enough: why 3f+1',
  idea: 'Two quorums must share an honest member, and a quorum must exist without the liars.',
  text: [
    'A signature shows who said something. It does not show that the same node said nothing else.',
    'In this run every message of Raft is signed, and every signature is checked. The leader ' +
      'signs two values.',
  ],
  question: {
    ask: 'Every signature is good. Does that save the group?',
    choices: {
      yes: 'yes: a lie would be found by its signature',
      no: 'no: both lies have a good signature',
    },
  },
  explanation: [
    'It ended {main.word}: {main.sentence}. The two statements were signed by ' +
      '{main.culprits}, and can be shown to anybody as a proof: there are {main.proofs} of ' +
      'them. That is what signatures give: proof afterwards.',
    'To prevent it, let q be the size of a quorum. Two quorums share at least 2q - n members, ' +
      'and f of these may lie: so it takes 2q - n > f. And f members may be silent: so q must ' +
      'be at most n - f. Both together give n > 3f.',
    'With n at three and f at one there is no such q. Quorums of two ended {two.word}. ' +
      'Quorums of three ended {three.word} when one member was silent.',
  ],
  breaking: [
    'This is PBFT with {broken.n} replicas and quorums of two: {broken.sentence}. ' +
      '{broken.liars} is in both quorums. Without its lie the same group ends {mended.word}.',
  ],
  exercise: {
    ask: 'PBFT has four replicas, and one may lie or be silent. How many must be a quorum?',
    choices: { 1: 'one', 2: 'two', 3: 'three', 4: 'four' },
  },
};
