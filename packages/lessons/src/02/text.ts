import type { LessonText } from '../lesson.ts';

/** The words of lesson 2. */
export const text: LessonText = {
  title: 'Multi-Paxos: a log and a leader',
  idea: 'A log is many decisions, one per slot, and one leader asks for all of them.',
  text: [
    'Each slot of the log is decided like one value of Basic Paxos. The first phase does not ' +
      'depend on the value, so a leader does it once for all slots that come. Each command then ' +
      'takes only the second phase.',
    'In this run the leader crashes while clients write. Another replica takes its place.',
  ],
  question: {
    ask:
      'The old leader had opened a slot, and the new leader hears of no value for it. Later ' +
      'slots are decided. What goes into the empty slot?',
    choices: {
      hole: 'nothing: the log keeps a hole',
      noop: 'a command that does nothing',
      skip: 'nothing: later commands move down',
    },
  },
  explanation: [
    'Leaders in this run were {main.leaders}. All {main.answered} operations were answered, ' +
      'at {main.positions} positions of the log, and all replicas have the same log.',
    'A replica runs commands in the order of slots, so a hole would stop it for ever. A value ' +
      'that was chosen cannot move. So a new leader asks about every slot from the first that ' +
      'it does not know, takes over what is reported, and fills the rest with a command that ' +
      'does nothing.',
  ],
  breaking: [
    'The mutant {broken.mutant} asks only about slots behind its own last one, and fills the ' +
      'others without asking. Its schedule: {broken.schedule}',
    'A slot that looked empty to the new leader was not empty.',
  ],
  exercise: {
    ask:
      'The log must go on while two replicas have crashed. How many replicas does it take, at ' +
      'least?',
    choices: {
      3: 'three',
      4: 'four',
      5: 'five',
      6: 'six',
      7: 'seven',
    },
  },
};
