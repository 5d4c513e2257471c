import type { LessonText } from '../lesson.ts';

/** The words of lesson 4. */
export const text: LessonText = {
  title: 'Raft: replicated is not committed',
  idea: 'A leader may count replicas only for entries of its own term.',
  text: [
    'A Raft leader sends its log to all. When a majority holds an entry of its term, it ' +
      'commits that entry and everything before it. A server votes only for a candidate whose ' +
      'log is at least as new as its own: first by the term of the last entry, then by length.',
    'In this run five servers work over a wide area, and their leader crashes.',
  ],
  question: {
    ask: 'An entry is on three of five servers. Can it still disappear?',
    choices: {
      never: 'no: three of five are a majority',
      old: 'yes, if it was written in an older term',
      always: 'yes, until all five have it',
    },
  },
  explanation: [
    'Here {main.leaders} led, and all {main.answered} operations were answered: entry by ' +
      'entry of their own terms, {main.value} first, with the votes of {main.behind}.',
    'An entry of an older term is another matter. A server with a newer last entry, which it ' +
      'got in a term in between, can still be elected by a majority, and it overwrites what ' +
      'that majority holds. So Raft commits old entries only together with one of its own term ' +
      'behind them.',
  ],
  breaking: [
    'The mutant {broken.mutant} counts replicas of older terms too. Its schedule is Figure ' +
      'Eight of the paper: {broken.schedule}',
    'One server had run {broken.value}. Another one never will.',
  ],
  exercise: {
    ask:
      'Links fail one by one, and some servers reach only one other. Which of the two additions ' +
      'does Raft need to go on: PreVote (a server asks before it raises the term) or ' +
      'CheckQuorum (a leader that no majority hears steps down)?',
    choices: {
      prevote: 'PreVote alone',
      checkquorum: 'CheckQuorum alone',
      both: 'both',
    },
  },
};
