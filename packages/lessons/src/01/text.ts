import type { LessonText } from '../lesson.ts';

/** The words of lesson 1. */
export const text: LessonText = {
  title: 'Basic Paxos: one value',
  idea: 'A value is chosen when a majority accepts it, and from then on nobody can choose another.',
  text: [
    'Two clients want two values. Each proposer asks in two phases. First it takes a number ' +
      'and asks a majority to promise that they will accept nothing of a lower number. Then it ' +
      'asks a majority to accept a value under its number.',
    'Whoever promises also reports what it has accepted before. A proposer that hears of ' +
      'nothing may take its own value.',
  ],
  question: {
    ask:
      'A proposer has the highest number, and a member of its majority reports a value that it ' +
      'has accepted. Which value must the proposer use?',
    choices: {
      own: 'its own: it has the highest number',
      reported: 'the one that was reported with the highest number',
      largest: 'the largest value of all',
    },
  },
  explanation: [
    '{main.value} was chosen, with the votes of {main.behind}. It takes {main.quorum} of ' +
      '{main.n}, and any two groups of that size share a member: {main.shared} at least.',
    'So whoever asks later hears of {main.value} from somebody, and proposes it again. The ' +
      'higher number decides who may speak. It does not decide what is said.',
  ],
  breaking: [
    'The mutant {broken.mutant} takes the largest value that is reported, and not the one of ' +
      'the highest number. Its schedule: {broken.schedule}',
    'Two values were chosen: {broken.sentence}.',
  ],
  exercise: {
    ask: 'An acceptor crashes and starts again. What must it find on its disk?',
    choices: {
      nothing: 'nothing: it asks the others',
      votes: 'its promises and what it accepted, but not the number that it used as a proposer',
      everything: 'its promises, what it accepted, and the number that it used as a proposer',
    },
  },
};
