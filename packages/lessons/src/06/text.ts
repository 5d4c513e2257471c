import type { LessonText } from '../lesson.ts';

/** The words of lesson 6. */
export const text: LessonText = {
  title: 'Reads: who leads now?',
  idea:
    'A leader may answer a read only if it is sure that no other leader has committed something ' +
    'since.',
  text: [
    'A read must see every write that was finished before it was asked for. The state of the ' +
      'leader has them all, as long as it is the leader.',
    'A server that leads cannot see by itself that it was replaced. So before it answers, it ' +
      'asks a majority whether it still leads. In this run the leader is cut off from the ' +
      'others, and clients can still reach all of them.',
  ],
  question: {
    ask:
      'The leader is cut off, the others elect another one, and a client asks the old leader ' +
      'for a read. What must the old leader do?',
    choices: {
      answer: 'answer from its state: it has seen no other leader',
      refuse: 'not answer: no majority says that it still leads',
      forward: 'answer, and tell the client that the value may be old',
    },
  },
  explanation: [
    'Leaders were {main.leaders}, one after the other, and the run ended {main.word}: ' +
      '{main.sentence}. Reads that went to the old leader waited, until the client asked ' +
      'elsewhere.',
    'So a read costs a round trip to a majority. It needs no entry in the log.',
  ],
  breaking: [
    'The mutant {broken.mutant} does not ask whether it still leads. Its schedule: ' +
      '{broken.schedule}',
    'The checker found it from the calls alone: {broken.sentence}.',
  ],
  exercise: {
    ask: 'A server was just elected, and a majority says that it leads. When may it answer reads?',
    choices: {
      now: 'at once: its log has every committed entry',
      alone: 'at once, and it need not ask the majority either',
      entry: 'when an entry of its own term is committed',
    },
  },
};
