import type { LessonText } from '../lesson.ts';

/** The words of lesson 3. */
export const text: LessonText = {
  title: 'Flexible Paxos: quorums only need to meet',
  idea:
    'Every quorum of the first phase must share a member with every quorum of the second. Two ' +
    'quorums of the second need not meet.',
  text: [
    'A majority in both phases is one way to make quorums meet. It is not the only one. Let ' +
      'q1 be how many must promise to elect a leader, and q2 how many must accept a command. ' +
      'Then q1 + q2 > n is enough.',
    'A small q2 makes commands cheap. Here n is five, q1 is four and q2 is two. Two members ' +
      'crash before anybody leads.',
  ],
  question: {
    ask: 'Three members are left, and a command takes only two of them. Will clients be answered?',
    choices: {
      yes: 'yes: three are more than two',
      no: 'no: nobody can be elected',
    },
  },
  explanation: [
    'The run ended {main.word}: {main.sentence}. Of {main.asked} operations {main.answered} ' +
      'were answered.',
    'A leader would have needed more promises than members were left. A group with a small q2 ' +
      'goes on while its leader lives, and stops when it must elect another.',
    'With majorities for both, the same crashes end {majorities.word}: {majorities.sentence}.',
  ],
  breaking: [
    'The mutant {broken.mutant} takes sizes that add up to n, and not to more. Its schedule: ' +
      '{broken.schedule}',
    'The two quorums have no member in common, so both could decide: {broken.sentence}.',
  ],
  exercise: {
    ask:
      'Five members, of which two crash at the start. Which sizes elect a leader, answer ' +
      'clients, and are safe under every schedule?',
    choices: {
      '4+2': 'q1 is 4 and q2 is 2',
      '2+4': 'q1 is 2 and q2 is 4',
      '3+3': 'q1 is 3 and q2 is 3',
      '2+3': 'q1 is 2 and q2 is 3',
    },
  },
};
