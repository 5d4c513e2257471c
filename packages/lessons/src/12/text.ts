import type { LessonText } from '../lesson.ts';

/** The words of lesson 12. */
export const text: LessonText = {
  title: 'Tendermint: locks',
  idea:
    'Who has voted to commit a value is locked on it, and gives the lock up only for proof of a ' +
    'later round.',
  text: [
    'Tendermint decides one height after the other, in rounds. Each round has another ' +
      'proposer and two votes: prevote and precommit. Two thirds of prevotes for one value are ' +
      'called a polka. Who sees a polka precommits the value, and is locked on it.',
    'Nothing special happens when a proposer fails: time passes, and the next round has the ' +
      'next proposer. In this run the first proposer is silent.',
  ],
  question: {
    ask:
      'A validator is locked on one value. Then it sees a polka for another value, of a later ' +
      'round. What must it do?',
    choices: {
      keep: 'keep its lock for ever',
      move: 'prevote for the other value',
      any: 'prevote for whatever is proposed: locks are a hint',
    },
  },
  explanation: [
    'The silent proposer did not stop the group: it ended {main.word}, and {main.value} was ' +
      'committed with the votes of {main.behind}. A change of leader costs a timeout and ' +
      'nothing else.',
    'Locks that are never given up end {kept.word}: {kept.sentence}. A polka of a later round ' +
      'proves that too few hold the old lock for it ever to commit, so the lock can go.',
  ],
  breaking: [
    'The mutant {broken.mutant} prevotes for whatever is proposed. Its schedule: {broken.schedule}',
    'A decision was taken, and then another one: {broken.sentence}.',
  ],
  exercise: {
    ask: 'When may a validator give up its lock?',
    choices: {
      nil: 'when two thirds prevote for nothing in a later round',
      claim: 'when a proposer says that its value had a polka later',
      proof: 'when it holds the polka of a later round itself',
      restart: 'when it was restarted',
    },
  },
};
